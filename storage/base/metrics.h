// Prometheus metrics of a program, and the listener that gives them.
//
//   Metrics metrics("relations-server");
//   RequestMetrics calls(metrics, "relations_server_call", "method");
//   calls.Record("GetRelations", "OK", seconds, bytes_in, bytes_out);
//   metrics.AddSource([&](std::vector<MetricSample>& samples) { samples.push_back(...); });
//   ASSIGN_OR_RETURN(const auto listener, MetricsListener::Start(metrics, "127.0.0.1:9090"));
//
// No label ever holds what a client sent: routes are templates, statuses a closed set. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations {

// One value that is read when somebody asks.
struct MetricSample {
  enum class Kind { kGauge, kCounter };

  // "relations_server_calls_in_flight"
  std::string name;
  std::string help;
  Kind kind = Kind::kGauge;
  double value = 0;
  std::vector<std::pair<std::string, std::string>> labels;
};

using MetricSource = std::function<void(std::vector<MetricSample>& samples)>;

class Metrics {
 public:
  // Has `relations_build_info{program, version}` and `relations_start_time_seconds`.
  explicit Metrics(absl::string_view program);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `source` is called at every scrape, as long as a listener lives; it must not block for long.
  void AddSource(MetricSource source);

  // The text that a scrape gives.
  std::string Text() const;

 private:
  friend class MetricsListener;
  friend class RequestMetrics;
  struct State;
  std::unique_ptr<State> state_;
};

// The series of requests of one kind:
//
//   PREFIX_duration_seconds{ROUTE_LABEL, status}   histogram; its _count counts requests
//   PREFIX_received_bytes_total{ROUTE_LABEL}       of requests
//   PREFIX_sent_bytes_total{ROUTE_LABEL}           of answers
class RequestMetrics {
 public:
  // `metrics` is not owned and must outlive this.
  RequestMetrics(Metrics& metrics, const std::string& prefix, const std::string& route_label);
  ~RequestMetrics();

  // REQUIRES: `route` and `status` are each one of a small closed set.
  void Record(absl::string_view route, absl::string_view status, double seconds,
              uint64_t received_bytes, uint64_t sent_bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Answers `GET /metrics` over HTTP while it lives.
class MetricsListener {
 public:
  // `address`: "IP:PORT"; port 0 picks a free one. `metrics` must outlive this. UNAVAILABLE when
  // the address cannot be used.
  static absl::StatusOr<std::unique_ptr<MetricsListener>> Start(Metrics& metrics,
                                                                const std::string& address);
  ~MetricsListener();

  // With the port that was picked.
  const std::string& address() const { return address_; }

 private:
  struct State;
  explicit MetricsListener(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
  std::string address_;
};

}  // namespace relations
