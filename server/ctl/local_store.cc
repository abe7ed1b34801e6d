#include "server/ctl/local_store.h"

namespace relations {

absl::StatusOr<std::unique_ptr<RocksDatabase>> OpenDatabase(const std::string& directory,
                                                            OpenMode mode, uint64_t cache_bytes) {
  DatabaseOptions options;
  options.directory = directory;
  options.mode = mode;
  options.cache_bytes = cache_bytes;
  return RocksDatabase::Open(options);
}

}  // namespace relations
