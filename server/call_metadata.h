// The headers of a call, as gRPC has them. Views live as long as the context.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"

namespace relations {

// All values of a header, in the order in which they came.
std::vector<absl::string_view> MetadataValues(const grpc::CallbackServerContext& context,
                                              const char* key);

// The only value of a header if it is fit to be logged and repeated: 1 to `size_max` visible ASCII
// characters. Empty otherwise.
std::string PlainHeader(const grpc::CallbackServerContext& context, const char* key,
                        size_t size_max);

}  // namespace relations
