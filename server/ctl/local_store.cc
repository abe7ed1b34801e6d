#include "server/ctl/local_store.h"

namespace relations {

absl::StatusOr<std::unique_ptr<RocksDatabase>> OpenDatabase(const std::string& directory,
                                                            OpenMode mode) {
  DatabaseOptions options;
  options.directory = directory;
  options.mode = mode;
  return RocksDatabase::Open(options);
}

}  // namespace relations
