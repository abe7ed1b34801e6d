// What of a request's header travels on to the server as gRPC call metadata: credentials, unjudged,
// the request id and the trace context. Nothing else does: a client cannot set `user-id` or
// `groups`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/http_message.h"

namespace relations::gateway {

// Credentials keep their number: a field that came twice is sent twice (more often: twice, too),
// for the server refuses repetition. A value that gRPC cannot carry, or one longer than any
// credential, is replaced by one that the server refuses as it refuses any malformed one:
// `authorization` by the word "malformed", `api-key` and `api-secret` by the empty value.
std::vector<std::pair<std::string, std::string>> CallMetadata(const HttpRequest& request,
                                                              absl::string_view request_id);

// The client's request id if it sent exactly one of 1 to limits::kRequestIdBytesMax visible ASCII
// characters, else a fresh UUID.
std::string RequestIdOf(const HttpRequest& request);

// True for a trace context of version 00 to fe with nonzero ids, as the W3C recommendation forms
// it.
bool IsTraceParent(absl::string_view text);

}  // namespace relations::gateway
