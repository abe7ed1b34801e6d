#include "gateway/json_pieces.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/json_writer.h"

namespace relations::gateway {

std::string JsonText(absl::string_view text) {
  std::string json;
  AppendString(text, json);
  return json;
}

std::string JsonList(const std::vector<std::string>& values) {
  return absl::StrCat("[", absl::StrJoin(values, ","), "]");
}

std::string JsonTexts(const std::vector<std::string>& texts) {
  return absl::StrCat("[",
                      absl::StrJoin(texts, ",",
                                    [](std::string* json, const std::string& text) {
                                      absl::StrAppend(json, JsonText(text));
                                    }),
                      "]");
}

std::string JsonObject(const JsonMembers& members) {
  return absl::StrCat("{",
                      absl::StrJoin(members, ",",
                                    [](std::string* json, const auto& member) {
                                      absl::StrAppend(json, JsonText(member.first), ":",
                                                      member.second);
                                    }),
                      "}");
}

}  // namespace relations::gateway
