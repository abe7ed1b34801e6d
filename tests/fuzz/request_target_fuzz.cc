// A request target and, on a second and third line, Accept-Encoding and If-None-Match: what is
// taken from them is within the limits of the API, and what is refused is told without repeating
// it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "gateway/content_coding.h"
#include "gateway/entity_tag.h"
#include "gateway/request_parameters.h"
#include "gateway/router.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "tests/fuzz/property.h"

namespace relations::gateway {
namespace {

using fuzz::Require;

bool IsIdByte(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-'; }

void CheckQuestion(const RelationsQuestion& question) {
  Require(question.id.size() >= 3 && question.id.size() <= 128, "an id has 3 to 128 bytes");
  Require(std::all_of(question.id.begin(), question.id.end(), IsIdByte), "an id is plain");
  Require(question.id.front() != '-' && question.id.back() != '-', "no dash stands at an end");
  Require(question.limit >= 0 && question.limit <= 100, "a limit is at most 100");
  Require(question.levels >= 0 && question.levels <= 5, "levels are at most 5");
}

void CheckRefusal(const absl::Status& status) {
  Require(status.code() == absl::StatusCode::kInvalidArgument, "a bad parameter is told as such");
  Require(!ReasonOf(status).empty(), "a refusal has a reason");
  const absl::string_view message = status.message();
  Require(std::all_of(message.begin(), message.end(),
                      [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); }),
          "a message is printable");
  Require(message.size() <= 256, "a message is short");
}

void CheckTarget(absl::string_view target) {
  const Route route = MatchRoute(target);
  Require(!RouteTemplate(route.kind).empty(), "every route has a name for the log");
  if (route.kind != RouteKind::kRelations) return;
  const auto question = ParseRelationsQuestion(route.id, route.query);
  if (question.ok()) {
    CheckQuestion(*question);
  } else {
    CheckRefusal(question.status());
  }
}

}  // namespace
}  // namespace relations::gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace relations::gateway;
  using relations::fuzz::Require;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> lines = absl::StrSplit(bytes, absl::MaxSplits('\n', 2));
  CheckTarget(lines[0]);
  if (lines.size() > 1) {
    const ContentCoding large = ChooseCoding({lines[1]}, kCodedBytesMin);
    const ContentCoding small = ChooseCoding({lines[1]}, kCodedBytesMin - 1);
    Require(small == ContentCoding::kIdentity || small == large, "size only leaves a coding out");
  }
  if (lines.size() > 2) {
    const std::string tag = EntityTagOf("{}", "complete", ContentCoding::kIdentity);
    NamesTag({lines[2]}, tag);
    Require(NamesTag({lines[2], tag}, tag), "a line of its own is found whatever stands in others");
  }
  return 0;
}
