#include "storage/import/stix_pattern.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/import/stix_pattern_token.h"
#include "storage/import/thing.h"

namespace relations {
namespace {

using Kind = StixPatternToken::Kind;

struct PathType {
  const char* path;
  const char* type;
};

// The paths that stand for entities, but for hashes. A resolved name may be a domain or an address:
// the normaliser takes an address that is called a domain for what it is.
constexpr PathType kPathTypes[] = {
    {"ipv4-addr:value", "ip"},
    {"ipv6-addr:value", "ip"},
    {"domain-name:value", "domain"},
    {"domain-name:resolves_to_refs[*].value", "domain"},
    {"url:value", "url"},
    {"email-addr:value", "email-address"},
    {"email-message:from_ref.value", "email-address"},
    {"email-message:sender_ref.value", "email-address"},
    {"email-message:subject", "email-subject"},
    {"mac-addr:value", "mac-address"},
    {"autonomous-system:number", "asn"},
    {"file:name", "filename"},
    {"file:path", "path"},
    {"directory:path", "path"},
    {"windows-registry-key:key", "regkey"},
    {"mutex:name", "mutex"},
    {"process:name", "process"},
    {"process:command_line", "command"},
    {"software:name", "software"},
    {"user-account:account_login", "username"},
    {"user-account:user_id", "username"},
    {"app:id", "mobile-app-id"},
    {"app:cert.sha256", "certificate-fingerprint"},
    {"app:cert.sha1", "certificate-fingerprint"},
    {"app:cert.md5", "certificate-fingerprint"},
};

struct Path {
  std::string object_type;
  // Steps with indexes as [*]; the quotes of steps are gone.
  std::vector<std::string> steps;

  std::string Text() const { return absl::StrCat(object_type, ":", absl::StrJoin(steps, "")); }
  // The entity type, or nothing.
  std::string EntityType() const {
    if (steps.size() == 2 && steps[0] == "hashes") {
      const absl::string_view hash = HashType(absl::string_view(steps[1]).substr(1));
      if (object_type == "file" || object_type == "artifact") {
        return std::string(hash);
      }
      if (object_type == "x509-certificate" && !hash.empty()) {
        return "certificate-fingerprint";
      }
    }
    const std::string text = Text();
    for (const PathType& candidate : kPathTypes) {
      if (text == candidate.path) return candidate.type;
    }
    return {};
  }
};

// Recursive descent over the tokens. Only parentheses nest.
class Parser {
 public:
  explicit Parser(std::vector<StixPatternToken> tokens) : tokens_(std::move(tokens)) {}

  absl::StatusOr<StixPattern> Parse() {
    RETURN_IF_ERROR(Observations(0));
    if (Current().kind != Kind::kEnd) {
      return Fault("more text follows the pattern");
    }
    return std::move(pattern_);
  }

 private:
  // What one [...] says, as far as it decides whether it speaks of one file.
  struct Observation {
    bool has_alternatives = false;
    std::vector<size_t> file_parts;
    bool has_hash = false;
  };

  const StixPatternToken& Current() const { return tokens_[next_]; }
  bool IsSymbol(absl::string_view symbol) const {
    return Current().kind == Kind::kSymbol && Current().text == symbol;
  }
  bool IsWord(absl::string_view word) const {
    return Current().kind == Kind::kWord && absl::EqualsIgnoreCase(Current().text, word);
  }
  bool TakeSymbol(absl::string_view symbol) {
    const bool is_it = IsSymbol(symbol);
    next_ += is_it ? 1 : 0;
    return is_it;
  }
  bool TakeWord(absl::string_view word) {
    const bool is_it = IsWord(word);
    next_ += is_it ? 1 : 0;
    return is_it;
  }
  absl::Status Fault(absl::string_view cause) const {
    return StixPatternFault(Current().position, cause);
  }
  absl::Status ExpectSymbol(absl::string_view symbol) {
    return TakeSymbol(symbol) ? absl::OkStatus()
                              : Fault(absl::StrCat("\"", symbol, "\" is missing"));
  }
  absl::Status CheckDepth(int depth) const {
    return depth <= limits::kImportPatternDepthMax ? absl::OkStatus() : Fault("nested too deep");
  }

  absl::Status Observations(int depth) {
    RETURN_IF_ERROR(CheckDepth(depth));
    do {
      if (TakeSymbol("(")) {
        RETURN_IF_ERROR(Observations(depth + 1));
        RETURN_IF_ERROR(ExpectSymbol(")"));
      } else {
        RETURN_IF_ERROR(ExpectSymbol("["));
        Observation observation;
        RETURN_IF_ERROR(Comparisons(depth + 1, observation));
        RETURN_IF_ERROR(ExpectSymbol("]"));
        if (!observation.has_alternatives && observation.has_hash) {
          pattern_.files.push_back(std::move(observation.file_parts));
        }
      }
      RETURN_IF_ERROR(Qualifiers());
    } while (TakeWord("AND") || TakeWord("OR") || TakeWord("FOLLOWEDBY"));
    return absl::OkStatus();
  }

  absl::Status Qualifiers() {
    while (true) {
      if (TakeWord("WITHIN")) {
        RETURN_IF_ERROR(Number());
        if (!TakeWord("SECONDS")) return Fault("SECONDS is missing");
      } else if (TakeWord("REPEATS")) {
        RETURN_IF_ERROR(Number());
        if (!TakeWord("TIMES")) return Fault("TIMES is missing");
      } else if (TakeWord("START")) {
        RETURN_IF_ERROR(Timestamp());
        if (!TakeWord("STOP")) return Fault("STOP is missing");
        RETURN_IF_ERROR(Timestamp());
      } else {
        return absl::OkStatus();
      }
    }
  }
  absl::Status Number() {
    if (Current().kind != Kind::kInteger && Current().kind != Kind::kFloat) {
      return Fault("a number is missing");
    }
    ++next_;
    return absl::OkStatus();
  }
  // STIX 2.0 has plain strings here.
  absl::Status Timestamp() {
    if (Current().kind != Kind::kTimestamp && Current().kind != Kind::kString) {
      return Fault("a timestamp is missing");
    }
    ++next_;
    return absl::OkStatus();
  }

  absl::Status Comparisons(int depth, Observation& observation) {
    RETURN_IF_ERROR(CheckDepth(depth));
    while (true) {
      if (TakeSymbol("(")) {
        RETURN_IF_ERROR(Comparisons(depth + 1, observation));
        RETURN_IF_ERROR(ExpectSymbol(")"));
      } else {
        RETURN_IF_ERROR(Comparison(observation));
      }
      if (TakeWord("OR")) {
        observation.has_alternatives = true;
      } else if (!TakeWord("AND")) {
        return absl::OkStatus();
      }
    }
  }

  absl::Status Comparison(Observation& observation) {
    const bool negated_existence = TakeWord("NOT");
    if (TakeWord("EXISTS")) {
      ASSIGN_OR_RETURN(const Path path, ReadPath());
      pattern_.unmapped.push_back("pattern comparison EXISTS");
      return absl::OkStatus();
    }
    if (negated_existence) return Fault("EXISTS is missing");
    ASSIGN_OR_RETURN(const Path path, ReadPath());
    const bool negated = TakeWord("NOT");
    std::string comparison;
    std::vector<StixPatternToken> literals;
    if (TakeWord("IN")) {
      comparison = "IN";
      ASSIGN_OR_RETURN(literals, Set());
    } else {
      ASSIGN_OR_RETURN(comparison, Operator());
      ASSIGN_OR_RETURN(StixPatternToken literal, Literal());
      literals.push_back(std::move(literal));
    }
    if (negated || (comparison != "=" && comparison != "IN")) {
      pattern_.unmapped.push_back(
          absl::StrCat("pattern comparison ", negated ? "NOT " : "", comparison));
      return absl::OkStatus();
    }
    observation.has_alternatives = observation.has_alternatives || literals.size() > 1;
    AddValues(path, literals, observation);
    return absl::OkStatus();
  }

  void AddValues(const Path& path, std::vector<StixPatternToken>& literals,
                 Observation& observation) {
    const std::string type = path.EntityType();
    if (type.empty()) {
      pattern_.unmapped.push_back(absl::StrCat("pattern path ", path.Text()));
      return;
    }
    for (StixPatternToken& literal : literals) {
      if (literal.kind != Kind::kString && literal.kind != Kind::kInteger &&
          literal.kind != Kind::kHex) {
        pattern_.unmapped.push_back(absl::StrCat("pattern literal of ", path.Text()));
        continue;
      }
      if (IsHashType(type) || type == "filename") {
        observation.file_parts.push_back(pattern_.values.size());
        observation.has_hash = observation.has_hash || IsHashType(type);
      }
      pattern_.values.push_back({type, std::move(literal.text)});
    }
  }

  absl::StatusOr<Path> ReadPath() {
    Path path;
    if (Current().kind != Kind::kWord) return Fault("an object path is missing");
    path.object_type = tokens_[next_++].text;
    RETURN_IF_ERROR(ExpectSymbol(":"));
    if (!IsStep()) return Fault("a property is missing");
    path.steps.push_back(tokens_[next_++].text);
    while (true) {
      if (TakeSymbol(".")) {
        if (!IsStep()) return Fault("a property is missing");
        path.steps.push_back(absl::StrCat(".", tokens_[next_++].text));
      } else if (TakeSymbol("[")) {
        if (Current().kind != Kind::kInteger && !IsSymbol("*")) {
          return Fault("an index or * is missing");
        }
        ++next_;
        RETURN_IF_ERROR(ExpectSymbol("]"));
        path.steps.push_back("[*]");
      } else {
        return path;
      }
    }
  }
  bool IsStep() const { return Current().kind == Kind::kWord || Current().kind == Kind::kString; }

  absl::StatusOr<std::string> Operator() {
    for (const absl::string_view symbol : {"==", "=", "!=", "<>", "<", "<=", ">", ">="}) {
      if (TakeSymbol(symbol)) return std::string(symbol == "==" ? "=" : symbol);
    }
    for (const absl::string_view word : {"LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"}) {
      if (TakeWord(word)) return std::string(word);
    }
    return Fault("a comparison is missing");
  }

  absl::StatusOr<StixPatternToken> Literal() {
    const Kind kind = Current().kind;
    if (kind == Kind::kEnd || kind == Kind::kSymbol ||
        (kind == Kind::kWord && !IsWord("true") && !IsWord("false"))) {
      return Fault("a value is missing");
    }
    return std::move(tokens_[next_++]);
  }

  absl::StatusOr<std::vector<StixPatternToken>> Set() {
    std::vector<StixPatternToken> literals;
    RETURN_IF_ERROR(ExpectSymbol("("));
    do {
      ASSIGN_OR_RETURN(StixPatternToken literal, Literal());
      literals.push_back(std::move(literal));
    } while (TakeSymbol(","));
    RETURN_IF_ERROR(ExpectSymbol(")"));
    return literals;
  }

  std::vector<StixPatternToken> tokens_;
  size_t next_ = 0;
  StixPattern pattern_;
};

}  // namespace

absl::StatusOr<StixPattern> ParseStixPattern(absl::string_view pattern) {
  if (pattern.size() > limits::kImportPatternBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the pattern is longer than ", limits::kImportPatternBytesMax, " bytes"));
  }
  ASSIGN_OR_RETURN(std::vector<StixPatternToken> tokens, TokenizeStixPattern(pattern));
  return Parser(std::move(tokens)).Parse();
}

}  // namespace relations
