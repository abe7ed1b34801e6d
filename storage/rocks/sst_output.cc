#include "storage/rocks/sst_output.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

namespace relations {
namespace {

// Keys and values of one file before compression. Compactions later move whole files of this size.
constexpr uint64_t kFileBytes = uint64_t{256} << 20;

// As the family's files are but for what makes them dear to write: a tenth of an import's work for
// a few percent of bytes, which a compaction takes back.
rocksdb::Options OutputOptions(const RocksDatabase& database, rocksdb::ColumnFamilyHandle* family) {
  rocksdb::Options options = database.db().GetOptions(family);
  options.bottommost_compression_opts.enabled = true;
  options.bottommost_compression_opts.level = 1;
  const auto* const family_table =
      options.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
  if (family_table != nullptr) {
    rocksdb::BlockBasedTableOptions table = *family_table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  }
  return options;
}

}  // namespace

SstOutput::SstOutput(const RocksDatabase* database, Family family, std::string directory)
    : database_(database), family_(family), directory_(std::move(directory)) {}

SstOutput::~SstOutput() = default;

absl::Status SstOutput::Put(absl::string_view key, absl::string_view value) {
  RETURN_IF_ERROR(Prepare());
  bytes_ += key.size() + value.size();
  return FromRocks(writer_->Put(SliceOf(key), SliceOf(value)), "writing a sorted file");
}

absl::Status SstOutput::Delete(absl::string_view key) {
  RETURN_IF_ERROR(Prepare());
  bytes_ += key.size();
  return FromRocks(writer_->Delete(SliceOf(key)), "writing a sorted file");
}

absl::Status SstOutput::Prepare() {
  if (writer_ != nullptr) {
    if (bytes_ < kFileBytes) return absl::OkStatus();
    RETURN_IF_ERROR(Finish());
  }
  rocksdb::ColumnFamilyHandle* const family = database_->family(family_);
  const rocksdb::Options options = OutputOptions(*database_, family);
  files_.push_back(absl::StrCat(directory_, "/", FamilyName(family_), "-", files_.size(), ".sst"));
  // The pages stay cached: the file is read soon.
  writer_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), options, family,
                                                     /*invalidate_page_cache=*/false);
  return FromRocks(writer_->Open(files_.back()), "creating a sorted file");
}

absl::Status SstOutput::Finish() {
  if (writer_ == nullptr) return absl::OkStatus();
  const absl::Status status = FromRocks(writer_->Finish(), "writing a sorted file");
  writer_.reset();
  bytes_ = 0;
  return status;
}

absl::Status IngestOutputs(RocksDatabase& database, absl::Span<SstOutput* const> outputs) {
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.write_global_seqno = false;
  std::vector<rocksdb::IngestExternalFileArg> files;
  for (const SstOutput* output : outputs) {
    if (output->files().empty()) continue;
    rocksdb::IngestExternalFileArg& argument = files.emplace_back();
    argument.column_family = database.family(output->family());
    argument.external_files = output->files();
    argument.options = options;
  }
  if (files.empty()) return absl::OkStatus();
  return FromRocks(database.db().IngestExternalFiles(files), "taking in sorted files");
}

}  // namespace relations
