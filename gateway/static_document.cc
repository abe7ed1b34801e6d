#include "gateway/static_document.h"

#include <algorithm>
#include <utility>

#include "gateway/entity_tag.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {

absl::StatusOr<StaticDocument> StaticDocument::Make(const std::string& body) {
  StaticDocument document;
  document.plain_bytes_ = body.size();
  for (const ContentCoding coding :
       {ContentCoding::kIdentity, ContentCoding::kGzip, ContentCoding::kZstd}) {
    ASSIGN_OR_RETURN(std::string coded, EncodeBody(coding, body));
    document.forms_.push_back({coding, EntityTagOf(body, "", coding), std::move(coded)});
  }
  return document;
}

const StaticDocument::Form& StaticDocument::FormFor(
    const std::vector<std::string>& accept_encoding) const {
  const ContentCoding coding = ChooseCoding(accept_encoding, plain_bytes_);
  return *std::find_if(forms_.begin(), forms_.end(),
                       [coding](const Form& form) { return form.coding == coding; });
}

}  // namespace relations::gateway
