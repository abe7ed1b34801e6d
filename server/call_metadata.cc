#include "server/call_metadata.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace relations {

std::vector<absl::string_view> MetadataValues(const grpc::CallbackServerContext& context,
                                              const char* key) {
  std::vector<absl::string_view> values;
  const auto [begin, end] = context.client_metadata().equal_range(key);
  for (auto header = begin; header != end; ++header) {
    values.emplace_back(header->second.data(), header->second.size());
  }
  return values;
}

std::string PlainHeader(const grpc::CallbackServerContext& context, const char* key,
                        size_t size_max) {
  const std::vector<absl::string_view> values = MetadataValues(context, key);
  if (values.size() != 1 || values[0].size() > size_max ||
      !std::all_of(values[0].begin(), values[0].end(),
                   [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); })) {
    return "";
  }
  return std::string(values[0]);
}

}  // namespace relations
