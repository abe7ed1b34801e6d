#include "server/ctl/json_object.h"

#include "absl/strings/str_cat.h"
#include "storage/base/json_text.h"

namespace relations {

JsonObject& JsonObject::AddString(absl::string_view key, absl::string_view value) {
  std::string json;
  AppendJsonString(value, json);
  return AddJson(key, json);
}

JsonObject& JsonObject::AddNumber(absl::string_view key, int64_t value) {
  return AddJson(key, absl::StrCat(value));
}

JsonObject& JsonObject::AddBoolean(absl::string_view key, bool value) {
  return AddJson(key, value ? "true" : "false");
}

JsonObject& JsonObject::AddJson(absl::string_view key, absl::string_view json) {
  if (text_.size() > 1) text_ += ',';
  AppendJsonString(key, text_);
  absl::StrAppend(&text_, ":", json);
  return *this;
}

JsonArray& JsonArray::AddString(absl::string_view value) {
  std::string json;
  AppendJsonString(value, json);
  return AddJson(json);
}

JsonArray& JsonArray::AddJson(absl::string_view json) {
  if (text_.size() > 1) text_ += ',';
  absl::StrAppend(&text_, json);
  return *this;
}

}  // namespace relations
