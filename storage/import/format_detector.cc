#include "storage/import/format_detector.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/import/misp_fields.h"

namespace relations {
namespace {

DocumentKind KindOfObject(const JsonObject& object) {
  if (Member(object, "Event").has_value() || Member(object, "response").has_value()) {
    return DocumentKind::kMisp;
  }
  const auto type = StringMember(object, "type");
  if (ArrayMember(object, "objects").has_value() || type == absl::string_view("bundle")) {
    return DocumentKind::kStix;
  }
  const auto id = StringMember(object, "id");
  if (type.has_value() && id.has_value() && absl::StartsWith(*id, absl::StrCat(*type, "--"))) {
    return DocumentKind::kStix;
  }
  if ((!type.has_value() && Member(object, "info").has_value()) || IsMispManifest(object)) {
    return DocumentKind::kMisp;
  }
  return DocumentKind::kUnknown;
}

}  // namespace

InputKind DetectInputKind(absl::string_view head, bool names_json_lines) {
  const absl::string_view text = absl::StripLeadingAsciiWhitespace(head);
  if (text.empty()) {
    return InputKind::kEmpty;
  }
  if (text.front() == '{') {
    const absl::string_view line = text.substr(0, text.find('\n'));
    JsonParser parser;
    const absl::StatusOr<JsonElement> root = parser.Parse(line);
    if (root.ok() && DocumentKindOf(*root) == DocumentKind::kUnknown) {
      return InputKind::kJsonLines;
    }
    return !root.ok() && names_json_lines ? InputKind::kJsonLines : InputKind::kDocument;
  }
  if (names_json_lines) {
    return InputKind::kJsonLines;
  }
  return text.front() == '[' ? InputKind::kDocument : InputKind::kUnknown;
}

DocumentKind DocumentKindOf(const JsonElement& root) {
  if (const auto object = AsObject(root)) {
    return KindOfObject(*object);
  }
  const auto array = AsArray(root);
  if (!array.has_value()) {
    return DocumentKind::kUnknown;
  }
  for (const JsonElement element : *array) {
    if (const auto object = AsObject(element)) {
      const DocumentKind kind = KindOfObject(*object);
      // Objects of STIX may be without an id, as observables of STIX 2.0 are.
      const bool has_type = StringMember(*object, "type").has_value();
      return kind == DocumentKind::kUnknown && has_type ? DocumentKind::kStix : kind;
    }
  }
  return array->size() == 0 ? DocumentKind::kStix : DocumentKind::kUnknown;
}

}  // namespace relations
