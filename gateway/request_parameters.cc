#include "gateway/request_parameters.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

constexpr absl::string_view kId = "id";
constexpr absl::string_view kLimit = "limit";
constexpr absl::string_view kLevels = "levels";
// The alias that the public JavaScript client sends; looked at only where `levels` is absent.
constexpr absl::string_view kDepth = "depth";
constexpr absl::string_view kTypes = "types";
constexpr absl::string_view kDetails = "details";

absl::Status Invalid(absl::string_view reason, absl::string_view param, absl::string_view message) {
  return PublicError(absl::StatusCode::kInvalidArgument, reason, message, param);
}

// Decodes percent-escapes once; nothing else is special ('+' stays). nullopt for a bad escape.
std::optional<std::string> DecodePercent(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
        !absl::ascii_isxdigit(text[i + 2])) {
      return std::nullopt;
    }
    decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return decoded;
}

absl::StatusOr<std::string> DecodeId(absl::string_view encoded) {
  const std::optional<std::string> id = DecodePercent(encoded);
  if (!id || id->find('\0') != std::string::npos || id->find('/') != std::string::npos) {
    return Invalid(reason::kInvalidEscape, kId, "id holds a percent-escape that is not accepted");
  }
  const bool legal = std::all_of(id->begin(), id->end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
  });
  if (!legal || id->size() < limits::kEntityIdBytesMin || id->size() > limits::kEntityIdBytesMax ||
      id->front() == '-' || id->back() == '-' || id->find('-') == std::string::npos) {
    return Invalid(
        reason::kInvalidId, kId,
        absl::StrCat("id must be ", limits::kEntityIdBytesMin, " to ", limits::kEntityIdBytesMax,
                     " letters, digits and hyphens, with at least one hyphen inside"));
  }
  return *id;
}

// The values of our parameters, decoded.
struct Values {
  std::optional<std::string> limit;
  std::optional<std::string> levels;
  std::optional<std::string> depth;
  std::optional<std::string> types;
  std::optional<std::string> details;
};

// Where the value of parameter `name` belongs; null for a name that is not ours.
std::optional<std::string>* SlotOf(absl::string_view name, Values& values) {
  const std::array<std::pair<absl::string_view, std::optional<std::string>*>, 5> slots = {{
      {kLimit, &values.limit},
      {kLevels, &values.levels},
      {kDepth, &values.depth},
      {kTypes, &values.types},
      {kDetails, &values.details},
  }};
  for (const auto& [known, slot] : slots) {
    if (known == name) return slot;
  }
  return nullptr;
}

absl::StatusOr<Values> ReadQuery(absl::string_view query) {
  Values values;
  absl::Status depth_fault;
  for (const absl::string_view pair : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const size_t equals = pair.find('=');
    const std::optional<std::string> name = DecodePercent(pair.substr(0, equals));
    std::optional<std::string>* slot = name ? SlotOf(*name, values) : nullptr;
    if (slot == nullptr) continue;
    absl::Status fault;
    if (slot->has_value()) {
      fault = Invalid(reason::kRepeatedParameter, *name,
                      absl::StrCat(*name, " must not be given twice"));
    }
    *slot = DecodePercent(equals == absl::string_view::npos ? "" : pair.substr(equals + 1));
    if (!slot->has_value()) {
      *slot = "";
      fault.Update(Invalid(reason::kInvalidEscape, *name,
                           absl::StrCat(*name, " holds a bad percent-escape")));
    }
    if (fault.ok()) continue;
    if (*name != kDepth) return fault;
    depth_fault.Update(fault);
  }
  // `depth` is not looked at where `levels` is given.
  if (!depth_fault.ok() && !values.levels) {
    return depth_fault;
  }
  return values;
}

// A whole number from 1; whatever is larger than `max`, however long, is `max`.
absl::StatusOr<int> ReadNumber(absl::string_view text, int max, absl::string_view reason,
                               absl::string_view param) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  int value = 0;
  for (const char c : digits ? text : absl::string_view()) {
    value = std::min(value * 10 + (c - '0'), max + 1);
  }
  if (!digits || value == 0) {
    return Invalid(reason, param,
                   absl::StrCat(param, " must be a whole number from 1 to ", max,
                                " (more counts as ", max, ")"));
  }
  return std::min(value, max);
}

absl::StatusOr<std::vector<std::string>> ReadTypes(absl::string_view text) {
  std::vector<std::string> types = absl::StrSplit(text, ',');
  const bool legal = std::all_of(types.begin(), types.end(), [](absl::string_view type) {
    return !type.empty() && type.size() <= limits::kTypeBytesMax &&
           std::all_of(type.begin(), type.end(), [](char c) {
             const auto byte = static_cast<unsigned char>(c);
             return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '-';
           });
  });
  if (!legal || types.size() > limits::kTypesMax) {
    return Invalid(reason::kInvalidTypes, kTypes,
                   absl::StrCat("types must be 1 to ", limits::kTypesMax,
                                " entity types with commas between, each of lower-case letters, "
                                "digits and hyphens"));
  }
  return types;
}

}  // namespace

absl::StatusOr<RelationsQuestion> ParseRelationsQuestion(absl::string_view encoded_id,
                                                         absl::string_view query) {
  RelationsQuestion question;
  ASSIGN_OR_RETURN(question.id, DecodeId(encoded_id));
  ASSIGN_OR_RETURN(const Values values, ReadQuery(query));
  if (values.limit) {
    ASSIGN_OR_RETURN(question.limit, ReadNumber(*values.limit, limits::kRelatedEntitiesMax,
                                                reason::kInvalidLimit, kLimit));
  }
  if (values.levels) {
    ASSIGN_OR_RETURN(question.levels, ReadNumber(*values.levels, limits::kLevelsMax,
                                                 reason::kInvalidLevels, kLevels));
  } else if (values.depth) {
    ASSIGN_OR_RETURN(question.levels,
                     ReadNumber(*values.depth, limits::kLevelsMax, reason::kInvalidLevels, kDepth));
  }
  if (values.types) {
    ASSIGN_OR_RETURN(question.types, ReadTypes(*values.types));
  }
  if (values.details) {
    if (*values.details != "true" && *values.details != "false") {
      return Invalid(reason::kInvalidDetails, kDetails, "details must be true or false");
    }
    question.details =
        *values.details == "true" ? RelationDetails::kInclude : RelationDetails::kLeaveOut;
  }
  return question;
}

}  // namespace relations::gateway
