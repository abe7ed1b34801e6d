#include "storage/import/jsonl_reader.h"

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/import/json_document.h"
#include "storage/import/jsonl_record.h"

namespace relations {
namespace {

constexpr size_t kChunkBytes = 1 << 20;

// Takes lines, gives records.
class LineReader {
 public:
  LineReader(const std::string& file, ImportRun& run) : run_(run) { position_.file = file; }

  // `line` is without its end and followed by JsonParser::kPaddingBytes readable bytes.
  absl::Status Read(absl::string_view line) {
    ++position_.line;
    if (absl::StripAsciiWhitespace(line).empty()) {
      return absl::OkStatus();
    }
    const absl::StatusOr<JsonElement> root = parser_.Parse(line);
    if (!root.ok()) {
      return run_.Reject(position_, root.status().message());
    }
    const auto object = AsObject(*root);
    if (!object.has_value()) {
      return run_.Reject(position_, "not an object");
    }
    unknown_keys_.clear();
    const absl::Status status = ReadObject(*object);
    for (const std::string& key : unknown_keys_) {
      run_.Skip(absl::StrCat("json lines key ", key));
    }
    return status;
  }
  absl::Status TooLong() {
    ++position_.line;
    return run_.Reject(position_,
                       absl::StrCat("longer than ", limits::kImportLineBytesMax, " bytes"));
  }
  absl::Status BrokenInput(absl::string_view reason) {
    ++position_.line;
    return run_.Reject(position_, reason);
  }

 private:
  absl::Status ReadObject(const JsonObject& object) {
    if (IsRelationRecord(object)) {
      absl::StatusOr<ImportedRelation> relation = ReadRelationRecord(object, unknown_keys_);
      if (!relation.ok()) {
        return run_.Reject(position_, relation.status().message());
      }
      if (relation->source == relation->target) {
        run_.Skip("relation of an entity to itself");
        return absl::OkStatus();
      }
      return run_.Relation(*std::move(relation), position_);
    }
    absl::StatusOr<relations::v1::Entity> entity =
        ReadEntityRecord(object, run_.options(), unknown_keys_);
    if (!entity.ok()) {
      return run_.Reject(position_, entity.status().message());
    }
    return run_.Entity(*std::move(entity), position_);
  }

  ImportRun& run_;
  ImportPosition position_;
  JsonParser parser_;
  std::vector<std::string> unknown_keys_;
};

// The bytes read and not yet taken as lines, with room for more and for the parser's padding.
class LineBuffer {
 public:
  explicit LineBuffer(std::string head) : bytes_(std::move(head)), end_(bytes_.size()) {
    bytes_.resize(end_ + JsonParser::kPaddingBytes);
  }

  // The next whole line; false when none is there yet.
  bool Next(absl::string_view* line) {
    const char* const start = bytes_.data() + begin_;
    const void* const newline = std::memchr(start + seen_, '\n', size() - seen_);
    if (newline == nullptr) {
      seen_ = size();
      return false;
    }
    const auto length = static_cast<size_t>(static_cast<const char*>(newline) - start);
    *line = absl::string_view(start, length);
    begin_ += length + 1;
    seen_ = 0;
    return true;
  }
  // The rest, which no end of line follows.
  absl::string_view Rest() const { return {bytes_.data() + begin_, size()}; }
  size_t size() const { return end_ - begin_; }
  void Clear() { begin_ = end_ = seen_ = 0; }

  absl::StatusOr<size_t> Fill(InputFile& input) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
    if (bytes_.size() < end_ + kChunkBytes + JsonParser::kPaddingBytes) {
      bytes_.resize(end_ + kChunkBytes + JsonParser::kPaddingBytes);
    }
    ASSIGN_OR_RETURN(const size_t count, input.Read(bytes_.data() + end_, kChunkBytes));
    end_ += count;
    return count;
  }

 private:
  std::string bytes_;
  size_t begin_ = 0;
  size_t end_;
  // Bytes from begin_ that hold no end of line.
  size_t seen_ = 0;
};

}  // namespace

absl::Status ReadJsonLines(std::string head, InputFile& input, const std::string& file,
                           ImportRun& run) {
  LineReader reader(file, run);
  LineBuffer buffer(std::move(head));
  // Within a line that was found too long.
  bool discarding = false;
  while (true) {
    absl::string_view line;
    while (buffer.Next(&line)) {
      if (discarding) {
        discarding = false;
      } else if (line.size() > limits::kImportLineBytesMax) {
        RETURN_IF_ERROR(reader.TooLong());
      } else {
        RETURN_IF_ERROR(reader.Read(line));
      }
    }
    if (discarding) {
      buffer.Clear();
    } else if (buffer.size() > limits::kImportLineBytesMax) {
      RETURN_IF_ERROR(reader.TooLong());
      discarding = true;
      buffer.Clear();
    }
    const absl::StatusOr<size_t> count = buffer.Fill(input);
    if (!count.ok()) {
      return reader.BrokenInput(count.status().message());
    }
    run.totals().bytes += *count;
    if (*count == 0) {
      break;
    }
  }
  return discarding || buffer.size() == 0 ? absl::OkStatus() : reader.Read(buffer.Rest());
}

}  // namespace relations
