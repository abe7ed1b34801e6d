#include "gateway/report_json.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

using simdjson::dom::element;

// Larger whole numbers do not survive as a double.
constexpr int64_t kExactIntegerMax = int64_t{1} << 53;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Fault(const std::string& where, absl::string_view name, absl::string_view what) {
  return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidReport,
                     absl::StrCat(where, name, ": ", what), name);
}

absl::Status NotJson(absl::string_view what) {
  return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidJson, what);
}

// The object that `text` is. It lives as long as the parser is not used again.
absl::StatusOr<simdjson::dom::object> ParseObject(simdjson::dom::parser& parser,
                                                  absl::string_view text) {
  element document;
  if (const auto error = parser.parse(text.data(), text.size()).get(document)) {
    return NotJson(error == simdjson::EMPTY ? "the body is empty; a JSON object is needed"
                                            : "the body is not valid JSON in UTF-8");
  }
  simdjson::dom::object object;
  if (document.get(object)) return NotJson("the body must be one JSON object");
  return object;
}

// Calls `read` for each member that is not null; refuses one that comes twice.
template <typename Read>
absl::Status ForEachMember(const simdjson::dom::object& object, const std::string& where,
                           const Read& read) {
  absl::flat_hash_set<absl::string_view> names;
  for (const auto [key, value] : object) {
    if (!names.insert(View(key)).second) {
      return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidReport,
                         absl::StrCat(where, "a member comes twice"));
    }
    if (value.is_null()) continue;
    RETURN_IF_ERROR(read(View(key), value));
  }
  return absl::OkStatus();
}

absl::Status ReadString(const std::string& where, absl::string_view name, const element& value,
                        std::string* text) {
  std::string_view view;
  if (value.get(view)) return Fault(where, name, "must be a string");
  text->assign(view.data(), view.size());
  return absl::OkStatus();
}

template <typename Add>
absl::Status ReadStrings(const std::string& where, absl::string_view name, const element& value,
                         const Add& add) {
  simdjson::dom::array array;
  if (value.get(array)) return Fault(where, name, "must be a list of strings");
  for (const element item : array) {
    std::string_view view;
    if (item.get(view)) return Fault(where, name, "must be a list of strings");
    add(std::string(view));
  }
  return absl::OkStatus();
}

absl::Status ReadReputation(const std::string& where, const element& value,
                            v1::EntityReport* report) {
  int64_t number = 0;
  if (value.get(number) || number < std::numeric_limits<int32_t>::min() ||
      number > std::numeric_limits<int32_t>::max()) {
    return Fault(where, "reputation", "must be a whole number from -3 to 3");
  }
  report->set_reputation(static_cast<int32_t>(number));
  return absl::OkStatus();
}

// False when the value is none of an attribute.
bool ReadAttribute(const element& value, google::protobuf::Value* attribute) {
  switch (value.type()) {
    case simdjson::dom::element_type::STRING:
      attribute->set_string_value(std::string(std::string_view(value)));
      return true;
    case simdjson::dom::element_type::BOOL:
      attribute->set_bool_value(bool(value));
      return true;
    case simdjson::dom::element_type::DOUBLE:
      attribute->set_number_value(double(value));
      return true;
    case simdjson::dom::element_type::UINT64:
      attribute->set_string_value(absl::StrCat(uint64_t(value)));
      return true;
    case simdjson::dom::element_type::INT64: {
      // Digits that a double would lose are kept as text.
      const int64_t number = value;
      if (number < -kExactIntegerMax || number > kExactIntegerMax) {
        attribute->set_string_value(absl::StrCat(number));
      } else {
        attribute->set_number_value(static_cast<double>(number));
      }
      return true;
    }
    default:
      return false;
  }
}

absl::Status ReadAttributes(const std::string& where, const element& value,
                            v1::EntityReport* report) {
  simdjson::dom::object object;
  if (value.get(object)) return Fault(where, "attributes", "must be an object");
  return ForEachMember(object, absl::StrCat(where, "attributes: "),
                       [&](absl::string_view name, const element& member) -> absl::Status {
                         google::protobuf::Value attribute;
                         if (!ReadAttribute(member, &attribute)) {
                           return Fault(where, "attributes",
                                        "only strings, numbers and booleans are accepted");
                         }
                         (*report->mutable_attributes())[std::string(name)] = std::move(attribute);
                         return absl::OkStatus();
                       });
}

absl::Status ReadEntity(const simdjson::dom::object& object, const std::string& where, int depth,
                        v1::EntityReport* report);

absl::Status ReadAssociations(const std::string& where, int depth, const element& value,
                              v1::EntityReport* report) {
  simdjson::dom::array array;
  if (value.get(array)) return Fault(where, "associations", "must be a list of entities");
  if (depth >= limits::kReportDepthMax && array.size() != 0) {
    return Fault("", "associations",
                 absl::StrCat("nested more than ", limits::kReportDepthMax, " deep"));
  }
  int index = 0;
  for (const element item : array) {
    simdjson::dom::object object;
    if (item.get(object)) return Fault(where, "associations", "must be a list of entities");
    RETURN_IF_ERROR(ReadEntity(object, absl::StrCat(where, "associations[", index++, "]."),
                               depth + 1, report->add_associations()));
  }
  return absl::OkStatus();
}

absl::Status ReadEntity(const simdjson::dom::object& object, const std::string& where, int depth,
                        v1::EntityReport* report) {
  return ForEachMember(
      object, where, [&](absl::string_view name, const element& value) -> absl::Status {
        if (name == "type") return ReadString(where, name, value, report->mutable_type());
        if (name == "mode") return ReadString(where, name, value, report->mutable_mode());
        if (name == "attributes") return ReadAttributes(where, value, report);
        if (name == "associations") return ReadAssociations(where, depth, value, report);
        if (name == "reputation") return ReadReputation(where, value, report);
        if (name == "correlate") {
          return ReadStrings(where, name, value, [report](std::string text) {
            report->add_correlate(std::move(text));
          });
        }
        if (name == "tags") {
          return ReadStrings(where, name, value,
                             [report](std::string text) { report->add_tags(std::move(text)); });
        }
        if (name == "visibleBy") {
          return ReadStrings(where, name, value, [report](std::string text) {
            report->add_visible_by(std::move(text));
          });
        }
        if (name == "value") return absl::OkStatus();
        return PublicError(
            absl::StatusCode::kInvalidArgument, reason::kInvalidReport,
            absl::StrCat(where,
                         "a member is not known; known are type, attributes, "
                         "associations, reputation, correlate, tags, visibleBy, mode"));
      });
}

absl::Status ReadAssociation(const simdjson::dom::object& object, v1::AssociationReport* report) {
  return ForEachMember(
      object, "", [&](absl::string_view name, const element& value) -> absl::Status {
        if (name == "entityID") return ReadString("", name, value, report->mutable_entity_id());
        if (name == "relatedEntityID") {
          return ReadString("", name, value, report->mutable_related_entity_id());
        }
        return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidReport,
                           "a member is not known; known are entityID and relatedEntityID");
      });
}

absl::Status ReadLine(const simdjson::dom::object& object, v1::Report* report) {
  const bool association = object.at_key("entityID").error() == simdjson::SUCCESS ||
                           object.at_key("relatedEntityID").error() == simdjson::SUCCESS;
  return association ? ReadAssociation(object, report->mutable_association())
                     : ReadEntity(object, "", 0, report->mutable_entity());
}

}  // namespace

absl::StatusOr<v1::EntityReport> ReadEntityReport(absl::string_view body) {
  simdjson::dom::parser parser;
  ASSIGN_OR_RETURN(const simdjson::dom::object object, ParseObject(parser, body));
  v1::EntityReport report;
  RETURN_IF_ERROR(ReadEntity(object, "", 0, &report));
  return report;
}

absl::StatusOr<v1::AssociationReport> ReadAssociationReport(absl::string_view body) {
  simdjson::dom::parser parser;
  ASSIGN_OR_RETURN(const simdjson::dom::object object, ParseObject(parser, body));
  v1::AssociationReport report;
  RETURN_IF_ERROR(ReadAssociation(object, &report));
  return report;
}

absl::StatusOr<v1::ReportBatchRequest> ReadReportBatch(absl::string_view body) {
  simdjson::dom::parser parser;
  v1::ReportBatchRequest request;
  size_t number = 0;
  while (!body.empty()) {
    const size_t end = std::min(body.find('\n'), body.size());
    const absl::string_view line = absl::StripAsciiWhitespace(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
    ++number;
    if (line.empty()) continue;
    if (static_cast<size_t>(request.reports_size()) >= limits::kReportEntitiesMax) {
      return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidReport,
                         absl::StrCat("more than ", limits::kReportEntitiesMax, " lines"));
    }
    const auto object = ParseObject(parser, line);
    const absl::Status read =
        object.ok() ? ReadLine(*object, request.add_reports()) : object.status();
    if (!read.ok()) {
      return PublicError(read.code(), ReasonOf(read),
                         absl::StrCat("line ", number, ": ", read.message()), ParamOf(read));
    }
  }
  return request;
}

}  // namespace relations::gateway
