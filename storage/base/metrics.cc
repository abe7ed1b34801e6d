#include "storage/base/metrics.h"

#include <exception>
#include <map>
#include <mutex>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "prometheus/counter.h"
#include "prometheus/exposer.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace relations {
namespace {

// Seconds. A walk takes from 0.1 ms to some seconds.
const prometheus::Histogram::BucketBoundaries& DurationBuckets() {
  static const prometheus::Histogram::BucketBoundaries buckets = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
      0.25,   0.5,     1,      2.5,   5,      10};
  return buckets;
}

// Scrapers come one at a time; two threads leave one for a second scraper.
constexpr size_t kScrapeThreads = 2;

// Everything that has a value only when asked.
class Sources : public prometheus::Collectable {
 public:
  void Add(MetricSource source) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sources_.push_back(std::move(source));
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<MetricSample> samples;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const MetricSource& source : sources_) source(samples);
    }
    std::map<std::string, prometheus::MetricFamily> families;
    for (const MetricSample& sample : samples) {
      prometheus::MetricFamily& family = families[sample.name];
      const bool counter = sample.kind == MetricSample::Kind::kCounter;
      family.name = sample.name;
      family.help = sample.help;
      family.type = counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
      prometheus::ClientMetric metric;
      for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
      (counter ? metric.counter.value : metric.gauge.value) = sample.value;
      family.metric.push_back(std::move(metric));
    }
    std::vector<prometheus::MetricFamily> result;
    for (auto& [name, family] : families) result.push_back(std::move(family));
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<MetricSource> sources_;
};

}  // namespace

struct Metrics::State {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::shared_ptr<Sources> sources = std::make_shared<Sources>();
};

Metrics::Metrics(absl::string_view program) : state_(std::make_unique<State>()) {
  const double started = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  AddSource([program = std::string(program), started](std::vector<MetricSample>& samples) {
    samples.push_back({"relations_build_info", "What runs; the value is always 1.",
                       MetricSample::Kind::kGauge, 1,
                       {{"program", program}, {"version", RELATIONS_VERSION}}});
    samples.push_back({"relations_start_time_seconds", "When the program started, Unix time.",
                       MetricSample::Kind::kGauge, started, {}});
  });
}

Metrics::~Metrics() = default;

void Metrics::AddSource(MetricSource source) { state_->sources->Add(std::move(source)); }

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = state_->registry->Collect();
  for (auto& family : state_->sources->Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

struct RequestMetrics::State {
  struct Traffic {
    prometheus::Counter* received;
    prometheus::Counter* sent;
  };

  std::string route_label;
  prometheus::Family<prometheus::Histogram>* durations;
  prometheus::Family<prometheus::Counter>* received;
  prometheus::Family<prometheus::Counter>* sent;

  // The library finds a series by hashing all its labels; these find it by two short words.
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, prometheus::Histogram*, std::less<>> by_status;
  std::map<std::string, Traffic, std::less<>> by_route;
};

RequestMetrics::RequestMetrics(Metrics& metrics, const std::string& prefix,
                               const std::string& route_label)
    : state_(std::make_unique<State>()) {
  prometheus::Registry& registry = *metrics.state_->registry;
  state_->route_label = route_label;
  state_->durations = &prometheus::BuildHistogram()
                           .Name(prefix + "_duration_seconds")
                           .Help("Time from a request's arrival to the end of its answer.")
                           .Register(registry);
  state_->received = &prometheus::BuildCounter()
                          .Name(prefix + "_received_bytes_total")
                          .Help("Bytes of requests.")
                          .Register(registry);
  state_->sent = &prometheus::BuildCounter()
                      .Name(prefix + "_sent_bytes_total")
                      .Help("Bytes of answers.")
                      .Register(registry);
}

RequestMetrics::~RequestMetrics() = default;

void RequestMetrics::Record(absl::string_view route, absl::string_view status, double seconds,
                            uint64_t received_bytes, uint64_t sent_bytes) {
  prometheus::Histogram* duration = nullptr;
  State::Traffic traffic{};
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    prometheus::Histogram*& series =
        state_->by_status[{std::string(route), std::string(status)}];
    if (series == nullptr) {
      series = &state_->durations->Add(
          {{state_->route_label, std::string(route)}, {"status", std::string(status)}},
          DurationBuckets());
    }
    duration = series;
    State::Traffic& bytes = state_->by_route[std::string(route)];
    if (bytes.received == nullptr) {
      bytes.received = &state_->received->Add({{state_->route_label, std::string(route)}});
      bytes.sent = &state_->sent->Add({{state_->route_label, std::string(route)}});
    }
    traffic = bytes;
  }
  duration->Observe(seconds);
  traffic.received->Increment(static_cast<double>(received_bytes));
  traffic.sent->Increment(static_cast<double>(sent_bytes));
}

struct MetricsListener::State {
  State(const std::string& address) : exposer(address, kScrapeThreads) {}
  prometheus::Exposer exposer;
};

MetricsListener::MetricsListener(std::unique_ptr<State> state) : state_(std::move(state)) {}

MetricsListener::~MetricsListener() = default;

absl::StatusOr<std::unique_ptr<MetricsListener>> MetricsListener::Start(
    Metrics& metrics, const std::string& address) {
  std::unique_ptr<State> state;
  // The library says what went wrong by an exception without a cause.
  try {
    state = std::make_unique<State>(address);
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat("cannot give metrics on ", address, ": ", error.what()));
  }
  state->exposer.RegisterCollectable(metrics.state_->registry);
  state->exposer.RegisterCollectable(metrics.state_->sources);
  auto listener = absl::WrapUnique(new MetricsListener(std::move(state)));
  const std::vector<int> ports = listener->state_->exposer.GetListeningPorts();
  listener->address_ = absl::StrCat(address.substr(0, address.rfind(':')), ":",
                                    ports.empty() ? 0 : ports.front());
  return listener;
}

}  // namespace relations
