#include "storage/import/importer.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/import/format_detector.h"
#include "storage/import/import_run.h"
#include "storage/import/input_file.h"
#include "storage/import/input_paths.h"
#include "storage/import/json_document.h"
#include "storage/import/jsonl_reader.h"
#include "storage/import/misp_reader.h"
#include "storage/import/stix_set.h"

namespace relations {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

absl::Status CheckOptions(const ImportOptions& options) {
  if (options.visible_by.empty() || options.visible_by.size() > limits::kVisibleByMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("imported entities need 1 to ", limits::kVisibleByMax, " groups"));
  }
  for (const std::string& group : options.visible_by) {
    if (!IsGroupName(group)) {
      return absl::InvalidArgumentError(
          absl::StrCat("not a group name: \"", absl::CHexEscape(group), "\""));
    }
  }
  if (!IsTimestamp(options.now)) {
    return absl::InvalidArgumentError("the time of the import is not set");
  }
  return absl::OkStatus();
}

// Appends up to a chunk of `input` to `text`; the count read.
absl::StatusOr<size_t> ReadChunk(InputFile& input, std::string& text) {
  const size_t size = text.size();
  text.resize(size + kChunkBytes);
  const absl::StatusOr<size_t> count = input.Read(text.data() + size, kChunkBytes);
  text.resize(size + count.value_or(0));
  return count;
}

// True when `head` holds the end of a line that is not blank.
bool HoldsFirstLine(absl::string_view head) {
  const size_t start = head.find_first_not_of(" \t\r\n");
  return start != absl::string_view::npos && head.find('\n', start) != absl::string_view::npos;
}

class Importer {
 public:
  Importer(const InputPaths& inputs, const ImportOptions& options, ImportSink& sink,
           ImportProgress* progress)
      : inputs_(inputs), run_(options, sink), progress_(progress) {}

  absl::StatusOr<ImportTotals> Import() {
    for (const InputPaths::Failure& failure : inputs_.failures) {
      RETURN_IF_ERROR(run_.Reject({failure.path, 0, ""}, failure.reason));
    }
    for (uint64_t i = 0; i < inputs_.other_files; ++i) {
      run_.Skip("file of another kind");
    }
    for (const std::string& file : inputs_.files) {
      RETURN_IF_ERROR(ReadFile(file));
    }
    RETURN_IF_ERROR(stix_.Emit(run_));
    return run_.totals();
  }

 private:
  void OnBytes(size_t count) {
    run_.totals().bytes_read += count;
    if (progress_ != nullptr) {
      progress_->OnBytes(run_.totals().bytes_read, inputs_.bytes);
    }
  }

  // Only what ends the import is an error.
  absl::Status ReadFile(const std::string& file) {
    absl::StatusOr<std::unique_ptr<InputFile>> input =
        InputFile::Open(file, [this](size_t count) { OnBytes(count); });
    if (!input.ok()) {
      return run_.Reject({file, 0, ""}, input.status().message());
    }
    ++run_.totals().files;
    std::string head;
    const absl::Status status = ReadHead(**input, head);
    if (!status.ok()) {
      run_.totals().bytes += head.size();
      return run_.Reject({file, 0, ""}, status.message());
    }
    switch (KindOf(head, file)) {
      case InputKind::kJsonLines:
        run_.totals().bytes += head.size();
        return ReadJsonLines(std::move(head), **input, file, run_);
      case InputKind::kDocument:
        return ReadDocument(std::move(head), **input, file);
      case InputKind::kEmpty:
        return run_.Reject({file, 0, ""}, "the file is empty");
      case InputKind::kUnknown:
        break;
    }
    run_.totals().bytes += head.size();
    return run_.Reject({file, 0, ""}, UnknownReason(head));
  }

  // Reads what tells the format, without the byte order mark.
  absl::Status ReadHead(InputFile& input, std::string& head) {
    while (!HoldsFirstLine(head) && head.size() <= limits::kImportLineBytesMax) {
      ASSIGN_OR_RETURN(const size_t count, ReadChunk(input, head));
      if (absl::StartsWith(head, kByteOrderMark)) {
        run_.totals().bytes += kByteOrderMark.size();
        head.erase(0, kByteOrderMark.size());
      }
      if (count == 0) break;
    }
    head.reserve(head.size() + JsonParser::kPaddingBytes);
    return absl::OkStatus();
  }

  InputKind KindOf(const std::string& head, const std::string& file) const {
    if (run_.options().format == ImportFormat::kJsonLines) {
      return InputKind::kJsonLines;
    }
    const bool is_auto = run_.options().format == ImportFormat::kAuto;
    const InputKind kind = DetectInputKind(head, is_auto && NamesJsonLines(file));
    if (is_auto) {
      // A store without anything exports no lines.
      return kind == InputKind::kEmpty && NamesJsonLines(file) ? InputKind::kJsonLines : kind;
    }
    return kind == InputKind::kJsonLines ? InputKind::kDocument : kind;
  }

  static std::string UnknownReason(absl::string_view head) {
    if (absl::StartsWith(head, "\xFF\xFE") || absl::StartsWith(head, "\xFE\xFF")) {
      return "UTF-16: only UTF-8 is read";
    }
    const absl::string_view start = absl::StripLeadingAsciiWhitespace(head).substr(0, 8);
    return absl::StrCat("neither JSON Lines, STIX nor MISP: it starts with \"",
                        absl::CHexEscape(start), "\"");
  }

  absl::Status ReadDocument(std::string text, InputFile& input, const std::string& file) {
    const ImportPosition position = {file, 0, ""};
    while (true) {
      const absl::StatusOr<size_t> count = ReadChunk(input, text);
      if (!count.ok()) {
        run_.totals().bytes += text.size();
        return run_.Reject(position, count.status().message());
      }
      if (*count == 0) break;
      if (text.size() > limits::kImportDocumentBytesMax) {
        run_.totals().bytes += text.size();
        return run_.Reject(position, absl::StrCat("a document of more than ",
                                                  limits::kImportDocumentBytesMax, " bytes"));
      }
    }
    run_.totals().bytes += text.size();
    if (CountValuesAtMost(text) > limits::kImportDocumentValuesMax) {
      return run_.Reject(position, absl::StrCat("a document of more than ",
                                                limits::kImportDocumentValuesMax, " values"));
    }
    for (uint64_t lone = ReplaceLoneSurrogates(text); lone > 0; --lone) {
      run_.Skip("lone surrogate, read as NUL");
    }
    text.reserve(text.size() + JsonParser::kPaddingBytes);
    JsonParser parser;
    const absl::StatusOr<JsonElement> root = parser.Parse(text);
    if (!root.ok()) {
      return run_.Reject(position, root.status().message());
    }
    return ReadRoot(*root, file);
  }

  absl::Status ReadRoot(const JsonElement& root, const std::string& file) {
    const ImportFormat format = run_.options().format;
    const DocumentKind kind = DocumentKindOf(root);
    if (format == ImportFormat::kStix ||
        (format == ImportFormat::kAuto && kind == DocumentKind::kStix)) {
      return stix_.AddDocument(root, file, run_);
    }
    if (format == ImportFormat::kMisp || kind == DocumentKind::kMisp) {
      return ReadMispDocument(root, file, run_);
    }
    return run_.Reject({file, 0, ""}, "JSON, but neither JSON Lines, STIX nor MISP");
  }

  const InputPaths& inputs_;
  ImportRun run_;
  ImportProgress* const progress_;
  StixSet stix_;
};

}  // namespace

bool ParseImportFormat(absl::string_view name, ImportFormat* format) {
  static constexpr std::pair<const char*, ImportFormat> kFormats[] = {
      {"auto", ImportFormat::kAuto},
      {"jsonl", ImportFormat::kJsonLines},
      {"stix", ImportFormat::kStix},
      {"misp", ImportFormat::kMisp}};
  for (const auto& [candidate, value] : kFormats) {
    if (name == candidate) {
      *format = value;
      return true;
    }
  }
  return false;
}

absl::StatusOr<ImportTotals> Import(absl::Span<const std::string> paths,
                                    const ImportOptions& options, ImportSink& sink,
                                    ImportProgress* progress) {
  RETURN_IF_ERROR(CheckOptions(options));
  ASSIGN_OR_RETURN(const InputPaths inputs, ExpandPaths(paths));
  ImportOptions canonical = options;
  canonical.visible_by = CanonicalGroups(options.visible_by);
  return Importer(inputs, canonical, sink, progress).Import();
}

}  // namespace relations
