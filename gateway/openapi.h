// The description of the REST API as an OpenAPI 3.1 document: the routes of router.h, the bodies of
// openapi_schemas.h, every header and every error that an answer may have.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace relations::gateway {

// The document, JSON. INTERNAL as MessageSchemas.
absl::StatusOr<std::string> MakeOpenApi();

}  // namespace relations::gateway
