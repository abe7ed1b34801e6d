#include "server/access/claims.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"

namespace relations {
namespace {

using simdjson::dom::element;

absl::Status WrongKind(absl::string_view name, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat(name, " is not ", wanted));
}

// The member, unless it is absent or null.
std::optional<element> Find(const JsonObject& object, absl::string_view name) {
  element value;
  if (object.at_key(std::string_view(name.data(), name.size())).get(value) || value.is_null()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

absl::StatusOr<JsonObject> ParseJsonObject(simdjson::dom::parser& parser, absl::string_view text) {
  JsonObject object;
  if (parser.parse(text.data(), text.size()).get(object)) {
    return absl::InvalidArgumentError("not one JSON object in UTF-8");
  }
  return object;
}

absl::StatusOr<std::optional<std::string>> FindText(const JsonObject& object,
                                                    absl::string_view name) {
  const std::optional<element> value = Find(object, name);
  if (!value.has_value()) return std::nullopt;
  std::string_view text;
  if (value->get(text)) return WrongKind(name, "a string");
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

absl::StatusOr<std::vector<std::string>> FindTexts(const JsonObject& object,
                                                   absl::string_view name) {
  std::vector<std::string> texts;
  const std::optional<element> value = Find(object, name);
  if (!value.has_value()) return texts;
  std::string_view text;
  if (!value->get(text)) {
    texts.emplace_back(text);
    return texts;
  }
  simdjson::dom::array list;
  if (value->get(list)) return WrongKind(name, "a list of strings");
  for (const element item : list) {
    if (item.get(text)) return WrongKind(name, "a list of strings");
    texts.emplace_back(text);
  }
  return texts;
}

absl::StatusOr<std::optional<absl::Time>> FindSeconds(const JsonObject& object,
                                                      absl::string_view name) {
  const std::optional<element> value = Find(object, name);
  if (!value.has_value()) return std::nullopt;
  double seconds = 0;
  if (value->get(seconds)) return WrongKind(name, "a number of seconds");
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

bool IsUserId(absl::string_view text) {
  return !text.empty() && text.size() <= limits::kUserIdBytesMax &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

absl::StatusOr<GroupSet> TakeGroups(const std::vector<std::string>& names) {
  std::vector<std::string> groups;
  std::copy_if(names.begin(), names.end(), std::back_inserter(groups),
               [](const std::string& name) { return IsGroupName(name); });
  if (groups.size() > limits::kPrincipalGroupsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", limits::kPrincipalGroupsMax, " groups"));
  }
  return CanonicalGroups(std::move(groups));
}

absl::StatusOr<std::vector<std::string>> TakeRoles(std::vector<std::string> names) {
  names.erase(std::remove_if(names.begin(), names.end(),
                             [](const std::string& name) {
                               return name.empty() || name.size() > limits::kRoleBytesMax;
                             }),
              names.end());
  if (names.size() > kRolesMax) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kRolesMax, " roles"));
  }
  return names;
}

}  // namespace relations
