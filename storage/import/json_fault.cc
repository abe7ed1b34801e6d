#include "storage/import/json_fault.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/base/json_text.h"
#include "storage/import/json_document.h"

namespace relations {
namespace {

// Walks a text by the grammar of JSON (RFC 8259) and stops at the first byte that breaks it.
class FaultFinder {
 public:
  explicit FaultFinder(absl::string_view text) : text_(text) {}

  // The fault's cause, or nullptr; its place is then position().
  const char* Find() {
    while (cause_ == nullptr) {
      SkipSpace();
      if (position_ == text_.size()) {
        return expected_ == Expected::kEnd ? nullptr : "the text ends too early";
      }
      Step(text_[position_]);
    }
    return cause_;
  }
  size_t position() const { return position_; }

 private:
  enum class Expected { kValue, kValueOrEnd, kKey, kKeyOrEnd, kColon, kCommaOrEnd, kEnd };

  void Step(char c) {
    switch (expected_) {
      case Expected::kValueOrEnd:
        if (c == ']') return Close();
        return Value(c);
      case Expected::kValue:
        return Value(c);
      case Expected::kKeyOrEnd:
        if (c == '}') return Close();
        return Key(c);
      case Expected::kKey:
        return Key(c);
      case Expected::kColon:
        return Take(c == ':', "a colon is missing", Expected::kValue);
      case Expected::kCommaOrEnd:
        if (c == (open_.back() == '{' ? '}' : ']')) return Close();
        return Take(c == ',', "a comma or the closing bracket is missing",
                    open_.back() == '{' ? Expected::kKey : Expected::kValue);
      case Expected::kEnd:
        cause_ = "more text follows the end of the document";
    }
  }
  void Take(bool fits, const char* cause, Expected next) {
    if (!fits) {
      cause_ = cause;
      return;
    }
    ++position_;
    expected_ = next;
  }
  void Open(char c) {
    if (open_.size() == JsonParser::kDepthMax) {
      cause_ = "nested too deep";
      return;
    }
    open_.push_back(c);
    ++position_;
    expected_ = c == '{' ? Expected::kKeyOrEnd : Expected::kValueOrEnd;
  }
  void Close() {
    open_.pop_back();
    ++position_;
    AfterValue();
  }
  void AfterValue() { expected_ = open_.empty() ? Expected::kEnd : Expected::kCommaOrEnd; }
  void Key(char c) {
    if (c != '"') {
      cause_ = "a key in quotes is missing";
      return;
    }
    String();
    expected_ = Expected::kColon;
  }
  void Value(char c) {
    if (c == '{' || c == '[') return Open(c);
    if (c == '"') {
      String();
    } else if (c == '-' || absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      Number();
    } else {
      Word();
    }
    AfterValue();
  }
  void Word() {
    for (const absl::string_view word : {"true", "false", "null"}) {
      if (text_.substr(position_, word.size()) == word) {
        position_ += word.size();
        return;
      }
    }
    cause_ = "no value of JSON starts here";
  }
  void Digits() {
    if (position_ == text_.size() || !IsDigit(position_)) {
      cause_ = "a digit is missing";
      return;
    }
    while (position_ < text_.size() && IsDigit(position_)) {
      ++position_;
    }
  }
  void Number() {
    if (text_[position_] == '-') ++position_;
    const bool leading_zero = text_.substr(position_, 1) == "0";
    if (leading_zero && position_ + 1 < text_.size() && IsDigit(position_ + 1)) {
      cause_ = "a number starts with 0";
      return;
    }
    Digits();
    if (cause_ == nullptr && text_.substr(position_, 1) == ".") {
      ++position_;
      Digits();
    }
    const absl::string_view exponent = text_.substr(position_, 1);
    if (cause_ == nullptr && (exponent == "e" || exponent == "E")) {
      ++position_;
      const absl::string_view sign = text_.substr(position_, 1);
      if (sign == "+" || sign == "-") ++position_;
      Digits();
    }
  }
  void String() {
    const size_t start = position_++;
    while (position_ < text_.size() && text_[position_] != '"') {
      if (static_cast<uint8_t>(text_[position_]) < 0x20) {
        cause_ = "a control character in a string is not escaped";
        return;
      }
      const size_t length = text_[position_] == '\\' ? EscapeLength() : 1;
      if (length == 0) {
        cause_ = "an escape in a string is none of JSON's";
        return;
      }
      position_ += length;
    }
    if (position_ >= text_.size()) {
      position_ = start;
      cause_ = "the string that starts here does not end";
      return;
    }
    if (!IsValidUtf8(text_.substr(start, position_ - start))) {
      position_ = start;
      cause_ = "the string that starts here is not UTF-8";
      return;
    }
    ++position_;
  }
  // The length of the escape at the position, or 0 when it is none.
  size_t EscapeLength() const {
    const absl::string_view name = text_.substr(position_ + 1, 1);
    if (name.empty() || absl::string_view("\"\\/bfnrtu").find(name[0]) == absl::string_view::npos) {
      return 0;
    }
    if (name != "u") return 2;
    const absl::string_view hex = text_.substr(position_ + 2, 4);
    const bool good = hex.size() == 4 && std::all_of(hex.begin(), hex.end(), [](char c) {
                        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
                      });
    return good ? 6 : 0;
  }
  bool IsDigit(size_t position) const {
    return absl::ascii_isdigit(static_cast<unsigned char>(text_[position]));
  }
  void SkipSpace() {
    while (position_ < text_.size() &&
           absl::string_view(" \t\r\n").find(text_[position_]) != absl::string_view::npos) {
      ++position_;
    }
  }

  const absl::string_view text_;
  size_t position_ = 0;
  Expected expected_ = Expected::kValue;
  std::vector<char> open_;
  const char* cause_ = nullptr;
};

}  // namespace

std::string DescribeJsonFault(absl::string_view text) {
  FaultFinder finder(text);
  const char* const cause = finder.Find();
  if (cause == nullptr) {
    return {};
  }
  const absl::string_view before = text.substr(0, finder.position());
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_start = before.rfind('\n');
  const size_t column =
      before.size() - (line_start == absl::string_view::npos ? 0 : line_start + 1) + 1;
  return absl::StrCat("line ", line, ", column ", column, ": ", cause);
}

}  // namespace relations
