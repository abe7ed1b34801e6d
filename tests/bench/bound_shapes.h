// A graph made to hurt: hubs, hidden neighbours and relations among hubs, each beside a small twin
// that gives an answer of the same size. What a question about the large one costs above its twin
// is what the store lets its size be felt.
//
//   visible hub    kVisibleHub: L public neighbours       twin kSmallVisible: 60
//   hidden hub     kHiddenHub: L neighbours of tenants    twin kSmallHidden: 10
//                  alone, newest, in 210 visibility
//                  classes, and behind them 10 public
//   ring of hubs   kHubRing: 100 neighbours, 5 of them    twin kPlainRing: the same without the
//                  with L / 5 further, newer neighbours   further neighbours
//
// L is 5,000,000 at scale 1. In a ring each of the 100 is related to the next; the 5 are related to
// one another and to 20 of the 100 each.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/import/import_sink.h"

namespace relations::bench {

class BoundShapes {
 public:
  static constexpr char kVisibleHub[] = "visible hub";
  static constexpr char kSmallVisible[] = "small visible";
  static constexpr char kHiddenHub[] = "hidden hub";
  static constexpr char kSmallHidden[] = "small hidden";
  static constexpr char kHubRing[] = "ring of hubs";
  static constexpr char kPlainRing[] = "plain ring";

  // The id of one of the roots above.
  static std::string RootId(absl::string_view name);

  explicit BoundShapes(double scale) : leaves_(static_cast<uint64_t>(5'000'000 * scale)) {}

  uint64_t leaves() const { return leaves_; }
  // Gives all entities, then all relations.
  absl::Status Feed(ImportSink& sink) const;

 private:
  absl::Status FeedHubs(ImportSink& sink) const;
  absl::Status FeedRing(absl::string_view root, bool has_hubs, ImportSink& sink) const;

  const uint64_t leaves_;
};

}  // namespace relations::bench
