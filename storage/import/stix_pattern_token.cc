#include "storage/import/stix_pattern_token.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

using Kind = StixPatternToken::Kind;

constexpr size_t kNone = absl::string_view::npos;

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool StartsWord(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool IsWordPart(char c) { return StartsWord(c) || IsDigit(c) || c == '-'; }

class Tokenizer {
 public:
  explicit Tokenizer(absl::string_view pattern) : text_(pattern) {}

  absl::StatusOr<StixPatternToken> Next() {
    RETURN_IF_ERROR(SkipSpaceAndComments());
    token_ = StixPatternToken{Kind::kEnd, {}, position_};
    if (position_ == text_.size()) {
      return token_;
    }
    const char c = text_[position_];
    if (c == '\'') {
      RETURN_IF_ERROR(Quoted(Kind::kString));
    } else if (At(1) == '\'' && (c == 'h' || c == 'b' || c == 't')) {
      ++position_;
      RETURN_IF_ERROR(Quoted(c == 'h' ? Kind::kHex : c == 'b' ? Kind::kBinary : Kind::kTimestamp));
    } else if (StartsWord(c)) {
      TakeWhile(Kind::kWord, IsWordPart);
    } else if (StartsNumber()) {
      Number();
    } else {
      RETURN_IF_ERROR(Symbol());
    }
    follows_path_ =
        token_.kind == Kind::kWord || token_.kind == Kind::kString || token_.text == "]";
    return std::move(token_);
  }

 private:
  char At(size_t ahead) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }

  // Digits, a sign and digits, and where no path can go on, a period and digits.
  bool StartsNumber() const {
    const size_t sign = At(0) == '-' || At(0) == '+' ? 1 : 0;
    return IsDigit(At(sign)) ||
           (At(sign) == '.' && IsDigit(At(sign + 1)) && (sign == 1 || !follows_path_));
  }

  absl::Status SkipSpaceAndComments() {
    while (position_ < text_.size()) {
      if (absl::ascii_isspace(static_cast<unsigned char>(text_[position_]))) {
        ++position_;
      } else if (absl::StartsWith(text_.substr(position_), "/*")) {
        const size_t end = text_.find("*/", position_ + 2);
        if (end == kNone) {
          return StixPatternFault(position_, "the comment that starts here does not end");
        }
        position_ = end + 2;
      } else if (absl::StartsWith(text_.substr(position_), "//")) {
        position_ = std::min(text_.find_first_of("\r\n", position_), text_.size());
      } else {
        break;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Quoted(Kind kind) {
    token_.kind = kind;
    ++position_;
    while (position_ < text_.size() && text_[position_] != '\'') {
      if (text_[position_] == '\\' && kind == Kind::kString) {
        ++position_;
        if (position_ == text_.size()) break;
      }
      token_.text += text_[position_++];
    }
    if (position_ == text_.size()) {
      return StixPatternFault(token_.position, "the string that starts here does not end");
    }
    ++position_;
    return absl::OkStatus();
  }

  template <typename Predicate>
  void TakeWhile(Kind kind, Predicate belongs) {
    token_.kind = kind;
    while (position_ < text_.size() && belongs(text_[position_])) {
      token_.text += text_[position_++];
    }
  }

  void Number() {
    if (!IsDigit(text_[position_]) && text_[position_] != '.') {
      token_.text += text_[position_++];
    }
    TakeWhile(Kind::kInteger, IsDigit);
    if (At(0) == '.' && IsDigit(At(1))) {
      token_.text += text_[position_++];
      TakeWhile(Kind::kFloat, IsDigit);
    }
    const bool signed_exponent = At(1) == '+' || At(1) == '-';
    if ((At(0) == 'e' || At(0) == 'E') && IsDigit(At(signed_exponent ? 2 : 1))) {
      token_.text.append(text_.data() + position_, signed_exponent ? 2 : 1);
      position_ += signed_exponent ? 2 : 1;
      TakeWhile(Kind::kFloat, IsDigit);
    }
  }

  absl::Status Symbol() {
    token_.kind = Kind::kSymbol;
    for (const absl::string_view symbol :
         {"==", "!=", "<>", "<=", ">=", "=", "<", ">", "[", "]", "(", ")", ":", ".", ",", "*"}) {
      if (absl::StartsWith(text_.substr(position_), symbol)) {
        token_.text = std::string(symbol);
        position_ += symbol.size();
        return absl::OkStatus();
      }
    }
    return StixPatternFault(position_, "nothing of a pattern starts here");
  }

  const absl::string_view text_;
  size_t position_ = 0;
  // The last token may end a path or a step of it, so that a period goes on with it.
  bool follows_path_ = false;
  StixPatternToken token_;
};

}  // namespace

absl::StatusOr<std::vector<StixPatternToken>> TokenizeStixPattern(absl::string_view pattern) {
  std::vector<StixPatternToken> tokens;
  Tokenizer tokenizer(pattern);
  do {
    ASSIGN_OR_RETURN(StixPatternToken token, tokenizer.Next());
    tokens.push_back(std::move(token));
  } while (tokens.back().kind != Kind::kEnd);
  return tokens;
}

absl::Status StixPatternFault(size_t position, absl::string_view cause) {
  return absl::InvalidArgumentError(
      absl::StrCat("the pattern does not parse at character ", position + 1, ": ", cause));
}

}  // namespace relations
