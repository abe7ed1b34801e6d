#include "gateway/call_metadata.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "storage/base/limits.h"
#include "storage/base/random.h"

namespace relations::gateway {
namespace {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// More than two of a kind tell the server nothing that two do not.
constexpr size_t kRepeatsMax = 2;
// A scheme, blanks and the longest credential; a token of three parts may be longer.
constexpr size_t kValueBytesMax = limits::kCredentialBytesMax + 64;
constexpr size_t kTokenBytesMax = limits::kJwtBytesMax + 64;
constexpr char kMalformedAuthorization[] = "malformed";
constexpr char kMalformedKey[] = "";
constexpr size_t kTraceParentBytes = 55;

size_t BytesMax(absl::string_view value) {
  return std::count(value.begin(), value.end(), '.') == 2 ? kTokenBytesMax : kValueBytesMax;
}

bool Travels(absl::string_view value, size_t bytes_max) {
  return value.size() <= bytes_max && std::all_of(value.begin(), value.end(), [](char c) {
           return absl::ascii_isprint(static_cast<unsigned char>(c));
         });
}

void AddCredentials(const std::vector<std::string>& values, const char* name,
                    const char* substitute, Metadata& metadata) {
  for (size_t i = 0; i < std::min(values.size(), kRepeatsMax); ++i) {
    // Two long ones would be more than gRPC carries.
    const size_t bytes_max = values.size() == 1 ? BytesMax(values[i]) : kValueBytesMax;
    metadata.emplace_back(name, Travels(values[i], bytes_max) ? values[i] : substitute);
  }
}

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsNonZeroHex(absl::string_view text) {
  return IsLowerHex(text) && text.find_first_not_of('0') != absl::string_view::npos;
}

}  // namespace

std::string RequestIdOf(const HttpRequest& request) {
  if (request.request_id.size() == 1) {
    const std::string& id = request.request_id.front();
    const bool visible = std::all_of(id.begin(), id.end(), [](char c) {
      return absl::ascii_isgraph(static_cast<unsigned char>(c));
    });
    if (visible && !id.empty() && id.size() <= limits::kRequestIdBytesMax) {
      return id;
    }
  }
  return NewUuid();
}

bool IsTraceParent(absl::string_view text) {
  return text.size() == kTraceParentBytes && text[2] == '-' && text[35] == '-' && text[52] == '-' &&
         IsLowerHex(text.substr(0, 2)) && text.substr(0, 2) != "ff" &&
         IsNonZeroHex(text.substr(3, 32)) && IsNonZeroHex(text.substr(36, 16)) &&
         IsLowerHex(text.substr(53, 2));
}

Metadata CallMetadata(const HttpRequest& request, absl::string_view request_id) {
  Metadata metadata;
  AddCredentials(request.authorization, "authorization", kMalformedAuthorization, metadata);
  AddCredentials(request.api_key, "api-key", kMalformedKey, metadata);
  AddCredentials(request.api_secret, "api-secret", kMalformedKey, metadata);
  metadata.emplace_back("x-request-id", std::string(request_id));
  if (request.traceparent.size() == 1 && IsTraceParent(request.traceparent.front())) {
    metadata.emplace_back("traceparent", request.traceparent.front());
  }
  return metadata;
}

}  // namespace relations::gateway
