// A document that does not change while the process lives, in every coding that a client may ask
// for. Immutable; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/content_coding.h"

namespace relations::gateway {

class StaticDocument {
 public:
  struct Form {
    ContentCoding coding = ContentCoding::kIdentity;
    // A strong entity tag, with its quotes.
    std::string tag;
    std::string body;
  };

  static absl::StatusOr<StaticDocument> Make(const std::string& body);

  // The form for a client, by the values of its Accept-Encoding lines.
  const Form& FormFor(const std::vector<std::string>& accept_encoding) const;

 private:
  size_t plain_bytes_ = 0;
  std::vector<Form> forms_;
};

}  // namespace relations::gateway
