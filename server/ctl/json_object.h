// JSON objects and arrays, written member by member in the order of the calls.
//
//   JsonObject object;
//   object.AddString("id", id).AddNumber("count", 3);
//   out << object.Text();
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace relations {

class JsonObject {
 public:
  JsonObject& AddString(absl::string_view key, absl::string_view value);
  JsonObject& AddNumber(absl::string_view key, int64_t value);
  JsonObject& AddBoolean(absl::string_view key, bool value);
  // `json` is a JSON value as it stands.
  JsonObject& AddJson(absl::string_view key, absl::string_view json);

  // {"id":"x","count":3}
  std::string Text() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

class JsonArray {
 public:
  JsonArray& AddString(absl::string_view value);
  // `json` is a JSON value as it stands.
  JsonArray& AddJson(absl::string_view json);

  std::string Text() const { return text_ + "]"; }

 private:
  std::string text_ = "[";
};

// An array of strings, from anything that holds some.
template <typename Strings>
std::string JsonStrings(const Strings& values) {
  JsonArray array;
  for (const std::string& value : values) array.AddString(value);
  return array.Text();
}

}  // namespace relations
