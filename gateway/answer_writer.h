// From the bytes of a relations.v1.GetRelationsResponse to the body of the REST answer.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations::gateway {

enum class RelationDetails { kLeaveOut, kInclude };

struct RestAnswer {
  std::string json;
  // The value of the header x-stop-reason: "complete" or "limit".
  absl::string_view stop_reason;
};

// Thread-safe.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;

  // `{"nodes":[...],"relations":[...]}` with every key of a node in the order of its declaration,
  // defaults included. Without details a relation is its source and target, and neighbours of the
  // same pair are one entry. DATA_LOSS names what cannot be written: bytes that are no such
  // message, text that is not UTF-8, an attribute that is neither string, number nor boolean, a
  // time that RFC 3339 cannot say, no stop reason.
  virtual absl::StatusOr<RestAnswer> Write(absl::string_view wire,
                                           RelationDetails details) const = 0;
};

// A writer that goes from wire bytes to JSON in one pass, by tables made from the descriptors of
// the API. INTERNAL when a message has a field of a kind that the tables do not know.
absl::StatusOr<std::unique_ptr<AnswerWriter>> MakeAnswerWriter();

}  // namespace relations::gateway
