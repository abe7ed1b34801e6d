// What an input is, told by its content.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "storage/import/json_document.h"

namespace relations {

// What the start of an input says.
enum class InputKind {
  kJsonLines,
  // To be read whole; what it holds is told by DocumentKindOf.
  kDocument,
  // Nothing but white space.
  kEmpty,
  // Neither.
  kUnknown,
};

// `head` is the start of an input, without byte order mark, up to and with the end of its first
// line that is not blank, or as much of it as a line may have. It must be followed by
// JsonParser::kPaddingBytes readable bytes. `names_json_lines` decides where the content does not:
// the first line may be one that is broken.
InputKind DetectInputKind(absl::string_view head, bool names_json_lines);

enum class DocumentKind { kStix, kMisp, kUnknown };

// What a whole document is; an array is what its first object is, an empty one STIX.
DocumentKind DocumentKindOf(const JsonElement& root);

}  // namespace relations
