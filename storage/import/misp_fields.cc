#include "storage/import/misp_fields.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/import/timestamp_text.h"

namespace relations {
namespace {

// Longer than any uuid.
constexpr size_t kShownIdBytes = 64;

}  // namespace

bool IsMispDeleted(const JsonObject& json) {
  const auto member = Member(json, "deleted");
  if (!member.has_value()) return false;
  if (member->is_bool()) return bool{*member};
  const auto text = TextMember(json, "deleted");
  return text == "1" || text == "true";
}

std::string MispNameOf(absl::string_view kind, const JsonObject& json, uint64_t number) {
  const auto uuid = StringMember(json, "uuid");
  return uuid.has_value() ? absl::StrCat(kind, " ", uuid->substr(0, kShownIdBytes))
                          : absl::StrCat(kind, " number ", number);
}

std::optional<absl::Time> MispTime(const JsonObject& json, absl::string_view key) {
  const auto text = TextMember(json, key);
  return text.has_value() ? ParseUnixSeconds(*text) : std::nullopt;
}

std::vector<absl::string_view> MispTagNames(const JsonObject& json) {
  std::vector<absl::string_view> names;
  if (const auto tags = ArrayMember(json, "Tag")) {
    for (const JsonElement element : *tags) {
      const auto tag = AsObject(element);
      const auto name = tag.has_value() ? StringMember(*tag, "name") : std::nullopt;
      if (name.has_value()) names.push_back(*name);
    }
  }
  return names;
}

std::vector<std::string> MispPlainTags(const JsonObject& json) {
  std::vector<std::string> tags;
  for (const absl::string_view name : MispTagNames(json)) {
    if (!absl::StartsWith(name, "misp-galaxy:")) tags.emplace_back(name);
  }
  return tags;
}

bool IsMispManifest(const JsonObject& root) {
  static constexpr size_t kUuidBytes = 36;
  bool any = false;
  for (const auto [key, value] : root) {
    const auto summary = AsObject(value);
    if (key.size() != kUuidBytes || !summary.has_value() || !Member(*summary, "info").has_value()) {
      return false;
    }
    any = true;
  }
  return any;
}

}  // namespace relations
