#include "storage/import/email_value.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/import/network_value.h"
#include "storage/import/unicode_text.h"

namespace relations {
namespace {

// What may stand in an atom of RFC 5322, with RFC 6532's other letters.
bool IsAtomCharacter(char c) {
  return absl::ascii_isalnum(c) || static_cast<uint8_t>(c) >= 0x80 ||
         absl::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != absl::string_view::npos;
}

// Reads the grammar of RFC 5322 from left to right. Every Take... moves on only when it succeeds,
// but for TakeComments, which always does.
class MailboxReader {
 public:
  explicit MailboxReader(absl::string_view text) : rest_(text) {}

  // The address of the one mailbox that the text is; empty when it is none.
  std::string Read() {
    const absl::string_view whole = rest_;
    std::string address;
    if (TakeAddress(&address) && rest_.empty()) return address;
    rest_ = whole;
    TakeDisplayName();
    if (Take('<') && TakeAddress(&address) && Take('>') && TakeComments() && rest_.empty()) {
      return address;
    }
    return {};
  }

 private:
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Blanks and comments, which may nest. False when a comment has no end.
  bool TakeComments() {
    int depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '(') {
        ++depth;
      } else if (c == ')' && depth > 0) {
        --depth;
      } else if (c == '\\' && depth > 0 && rest_.size() > 1) {
        rest_.remove_prefix(1);
      } else if (depth == 0 && c != ' ' && c != '\t') {
        break;
      }
      rest_.remove_prefix(1);
    }
    return depth == 0;
  }

  bool TakeAtomWithDots(std::string* atom) {
    size_t length = 0;
    while (length < rest_.size() && (IsAtomCharacter(rest_[length]) || rest_[length] == '.')) {
      ++length;
    }
    const absl::string_view taken = rest_.substr(0, length);
    if (taken.empty()) return false;
    *atom = std::string(taken);
    rest_.remove_prefix(length);
    return true;
  }

  bool TakeQuoted(std::string* text) {
    if (rest_.empty() || rest_.front() != '"') return false;
    std::string unquoted;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        *text = unquoted;
        return true;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      if (absl::ascii_iscntrl(rest_[i]) && rest_[i] != '\t') return false;
      unquoted += rest_[i];
    }
    return false;
  }

  // A dot-atom: atoms joined by single dots.
  bool TakeDotAtom(std::string* text) {
    return TakeAtomWithDots(text) && text->front() != '.' && text->back() != '.' &&
           text->find("..") == std::string::npos;
  }

  bool TakeDomainLiteral(std::string* domain) {
    if (rest_.empty() || rest_.front() != '[') return false;
    const size_t end = rest_.find(']');
    if (end == absl::string_view::npos || !ParseIp(rest_.substr(1, end - 1))) return false;
    *domain = std::string(rest_.substr(0, end + 1));
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool TakeAddress(std::string* address) {
    std::string local;
    std::string domain;
    if (!TakeComments() || !(TakeQuoted(&local) || TakeDotAtom(&local)) || local.empty() ||
        !TakeComments() || !Take('@') || !TakeComments() ||
        !(TakeDomainLiteral(&domain) || TakeDotAtom(&domain)) || !TakeComments()) {
      return false;
    }
    *address = absl::StrCat(local, "@", domain);
    return true;
  }

  void TakeDisplayName() {
    std::string word;
    while (TakeComments() && (TakeQuoted(&word) || TakeAtomWithDots(&word))) {
    }
  }

  absl::string_view rest_;
};

bool IsLocalPart(absl::string_view local) {
  return !local.empty() && !HasControlOrSpace(local) &&
         local.find_first_of("<>@\"(),;:\\[]") == absl::string_view::npos;
}

}  // namespace

NormalForm NormalEmail(absl::string_view value) {
  const std::string lower = LowerCase(value);
  std::string mailbox = MailboxReader(lower).Read();
  if (!mailbox.empty()) return Accepted(std::move(mailbox));

  absl::string_view address = lower;
  if (!address.empty() && address.back() == '>') {
    const size_t open = address.rfind('<');
    if (open == absl::string_view::npos) return Refused("has a > without a <");
    address = address.substr(open + 1, address.size() - open - 2);
  }
  const size_t at = address.rfind('@');
  if (at == absl::string_view::npos) return Refused("has no @");
  const absl::string_view local = address.substr(0, at);
  if (!IsLocalPart(local)) return Refused("has no valid name before its @");
  NormalForm domain = NormalDomain(address.substr(at + 1));
  if (!domain.accepted()) return Refused("has no valid domain behind its @");
  return Accepted(absl::StrCat(local, "@", domain.value));
}

}  // namespace relations
