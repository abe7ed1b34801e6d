#include "storage/rocks/bulk_ends.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "storage/base/status_macros.h"
#include "storage/varint.h"

namespace relations {
namespace {

constexpr size_t kReadBufferBytes = 1 << 20;
// Of a table, at most 7 of 10 slots are filled.
constexpr uint64_t kFilledSlots = 7;
constexpr uint64_t kOfSlots = 10;

// Scratch is read by the process that wrote it, so records are their bytes in memory.
struct EndRecord {
  Fingerprint fingerprint;
  End end;
};
static_assert(std::is_trivially_copyable_v<EndRecord>);

uint64_t SlotsFor(uint64_t count) {
  uint64_t slots = 16;
  while (slots * kFilledSlots < count * kOfSlots) slots *= 2;
  return slots;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EndFile>> EndFile::Create(const ScratchDirectory* scratch) {
  ASSIGN_OR_RETURN(std::unique_ptr<ScratchFile> ends, scratch->NewFile());
  ASSIGN_OR_RETURN(std::unique_ptr<ScratchFile> missing, scratch->NewFile());
  return std::unique_ptr<EndFile>(new EndFile(std::move(ends), std::move(missing)));
}

absl::Status EndFile::Add(const Fingerprint& fingerprint, const End& end) {
  EndRecord record;
  // Padding is written too.
  std::memset(static_cast<void*>(&record), 0, sizeof record);
  record.fingerprint = fingerprint;
  record.end = end;
  ++count_;
  return ends_->Append({reinterpret_cast<const char*>(&record), sizeof record});
}

absl::Status EndFile::AddMissing(const Fingerprint& fingerprint, absl::string_view id) {
  End end;
  end.order = missing_->size();
  RETURN_IF_ERROR(missing_->AppendFrame(id));
  return Add(fingerprint, end);
}

absl::Status EndFile::Flush() {
  RETURN_IF_ERROR(ends_->Flush());
  return missing_->Flush();
}

absl::StatusOr<std::string> EndFile::MissingId(const End& end) const {
  ScratchReader reader(missing_.get(), end.order, missing_->size(), 256);
  absl::string_view id;
  ASSIGN_OR_RETURN(const bool found, reader.Next(&id));
  if (!found) return absl::DataLossError("import: a scratch file is damaged");
  return std::string(id);
}

uint64_t EndTable::PartsFor(uint64_t count, uint64_t memory_bytes) {
  uint64_t parts = 1;
  // Some more than its share falls into a part by chance.
  while (SlotsFor(count / parts + count / parts / 8) * sizeof(Slot) >
             std::max<uint64_t>(memory_bytes, 32 * sizeof(Slot)) &&
         parts < count) {
    ++parts;
  }
  return parts;
}

absl::StatusOr<std::unique_ptr<EndTable>> EndTable::Load(const EndFile& file, uint64_t part,
                                                         uint64_t parts) {
  const auto read = [&](const auto& use) -> absl::Status {
    ScratchReader reader(file.ends_.get(), kReadBufferBytes);
    absl::string_view bytes;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, reader.NextBytes(sizeof(EndRecord), &bytes));
      if (!more) return absl::OkStatus();
      EndRecord record;
      std::memcpy(static_cast<void*>(&record), bytes.data(), sizeof record);
      if (PartOf(record.fingerprint, parts) == part) RETURN_IF_ERROR(use(record));
    }
  };
  uint64_t count = file.count();
  if (parts > 1) {
    count = 0;
    RETURN_IF_ERROR(read([&](const EndRecord&) {
      ++count;
      return absl::OkStatus();
    }));
  }
  std::unique_ptr<EndTable> table(new EndTable(SlotsFor(count)));
  RETURN_IF_ERROR(read([&](const EndRecord& record) {
    size_t at = table->Home(record.fingerprint);
    while (table->slots_[at].fingerprint.first != 0) {
      if (table->slots_[at].fingerprint == record.fingerprint) {
        return absl::InternalError("import: two ids have one fingerprint; run the import again");
      }
      at = (at + 1) & table->mask_;
    }
    table->slots_[at] = {record.fingerprint, record.end};
    return absl::OkStatus();
  }));
  return table;
}

}  // namespace relations
