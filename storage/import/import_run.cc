#include "storage/import/import_run.h"

#include "absl/strings/str_cat.h"
#include "storage/base/json_text.h"
#include "storage/base/limits.h"

namespace relations {
namespace {

constexpr char kOtherKinds[] = "other kinds";

// The kind as a short line of printable UTF-8.
std::string PrintableKind(absl::string_view kind) {
  std::string text;
  for (const char c : kind.substr(0, limits::kImportKindBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  while (!text.empty() && !IsValidUtf8(text)) {
    text.pop_back();
  }
  return text;
}

}  // namespace

absl::Status ImportRun::Reject(const ImportPosition& position, absl::string_view reason) {
  ++totals_.rejected;
  if (absl::Status status = sink_.OnRejected(position, reason); !status.ok()) {
    return status;
  }
  if (options_.strict) {
    return absl::InvalidArgumentError(absl::StrCat(PositionText(position), reason));
  }
  return absl::OkStatus();
}

void ImportRun::Skip(absl::string_view kind) {
  std::string name = PrintableKind(kind);
  if (totals_.skipped.size() >= limits::kImportKindsMax && totals_.skipped.count(name) == 0) {
    name = kOtherKinds;
  }
  ++totals_.skipped[name];
  sink_.OnSkipped(name);
}

void ImportRun::Dangling() {
  ++totals_.dangling;
  Skip("dangling reference");
}

std::string PositionText(const ImportPosition& position) {
  if (position.line > 0) {
    return absl::StrCat(position.file, ":", position.line, ": ");
  }
  if (!position.where.empty()) {
    return absl::StrCat(position.file, ": ", position.where, ": ");
  }
  return absl::StrCat(position.file, ": ");
}

}  // namespace relations
