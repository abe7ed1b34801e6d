// The REST front: routes a request, asks the relations server, and forms the answer with its
// headers.
//
// Checks come in the order that the API promises: route, method, size of the body; then the server
// judges credentials and role; then parameters; then the entity is looked up. Where the parameters
// are at fault the server is asked all the same, with a request that it refuses after judging the
// credentials, so that a stranger learns nothing of his parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/application.h"
#include "gateway/failure_limit.h"
#include "gateway/upstream.h"

namespace relations::gateway {

struct FrontOptions {
  // Origins that scripts of a browser may ask from, compared exactly. Empty: no CORS.
  std::vector<std::string> cors_origins;
  // Failed authentications of one client's IP address; null: no limit. Not owned.
  FailureLimit* failures = nullptr;
};

// `upstream` is not owned and must outlive the front. INTERNAL as MakeAnswerWriter.
absl::StatusOr<std::unique_ptr<Application>> MakeFront(FrontOptions options, Upstream& upstream);

}  // namespace relations::gateway
