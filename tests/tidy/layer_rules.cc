// One direction, checked twice: by what a file includes and by what a target links.
//
//   proto <- server  -> storage -> RocksDB
//   proto <- gateway -> gRPC channel
#include <algorithm>
#include <regex>
#include <set>

#include "tests/tidy/rules.h"

namespace relations::tidy {
namespace {

// What the files of a folder may not include or link. The first row whose folder holds a file
// counts.
struct Layer {
  std::string folder;
  // Starts of included paths that are refused, unless one of `but` is their start too.
  std::vector<std::string> includes;
  std::vector<std::string> but;
  // Targets that are refused, and only_links those that alone are allowed of ours; empty: any.
  std::vector<std::string> links;
};

const std::vector<Layer>& Layers() {
  static const std::vector<Layer> layers = {
      {"storage/base/",
       {"storage/", "server/", "gateway/", "tests/", "relations/", "rocksdb/", "grpc/", "grpcpp/",
        "google/", "boost/"},
       {"storage/base/"},
       {}},
      {"storage/import/",
       {"storage/rocks/", "server/", "gateway/", "tests/", "grpc/", "grpcpp/", "boost/",
        "rocksdb/"},
       {},
       {"relations::storage", "relations_storage", "relations::server", "relations::gateway",
        "relations::grpc", "gRPC::", "RocksDB::", "Boost::"}},
      {"storage/",
       {"server/", "gateway/", "tests/", "grpc/", "grpcpp/", "boost/"},
       {},
       {"relations::server", "relations::gateway", "relations::grpc", "gRPC::", "Boost::"}},
      {"server/access/",
       {"gateway/", "tests/", "rocksdb/", "grpc/", "grpcpp/"},
       {},
       {"relations::gateway", "relations_gateway", "relations::server", "gRPC::", "RocksDB::"}},
      {"server/",
       {"gateway/", "tests/", "boost/"},
       {},
       {"relations::gateway", "relations_gateway", "Boost::"}},
      {"gateway/",
       {"storage/", "server/", "tests/", "rocksdb/"},
       {"storage/base/"},
       {"relations::storage", "relations::graph", "relations::import", "relations::values",
        "relations::server", "relations::ctl", "relations_storage", "relations_graph",
        "relations_import", "relations_values", "relations_server", "relations_ctl", "RocksDB::"}},
      {"proto/",
       {"storage/", "server/", "gateway/", "tests/"},
       {},
       {"relations::base", "relations::graph", "relations::storage", "relations::server",
        "relations::gateway", "RocksDB::", "Boost::"}}};
  return layers;
}

const Layer* LayerOf(const std::string& path) {
  for (const Layer& layer : Layers()) {
    if (StartsWith(path, layer.folder)) return &layer;
  }
  return nullptr;
}

bool StartsWithAny(const std::string& text, const std::vector<std::string>& starts) {
  for (const std::string& start : starts) {
    if (StartsWith(text, start)) return true;
  }
  return false;
}

std::vector<Fault> CheckIncludes(const SourceTree& tree) {
  static const std::regex include(R"(^\s*(?:#\s*include|import)\s+["<]([^">]+)[">])");
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    const Layer* const layer = LayerOf(path);
    if (layer == nullptr || !(IsCpp(path) || EndsWith(path, ".proto"))) continue;
    int number = 0;
    for (const std::string& line : LinesOf(file.text)) {
      ++number;
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string included = match[1];
      if (StartsWithAny(included, layer->includes) && !StartsWithAny(included, layer->but)) {
        faults.push_back({path, number, layer->folder + " must not include " + included});
      }
    }
  }
  return faults;
}

std::vector<Fault> CheckLinks(const SourceTree& tree) {
  static const std::regex call(R"(target_link_libraries\s*\(([^)]*)\))");
  static const std::regex word(R"([^\s]+)");
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    const Layer* const layer = LayerOf(path);
    if (layer == nullptr || NameOf(path) != "CMakeLists.txt") continue;
    for (std::sregex_iterator match(file.text.begin(), file.text.end(), call), end; match != end;
         ++match) {
      const std::string list = (*match)[1];
      const auto line =
          std::count(file.text.begin(), file.text.begin() + (*match).position(0), '\n');
      std::sregex_iterator token(list.begin(), list.end(), word);
      // The first word is the target itself.
      for (++token; token != std::sregex_iterator(); ++token) {
        if (StartsWithAny(token->str(), layer->links)) {
          faults.push_back(
              {path, static_cast<int>(line) + 1, layer->folder + " must not link " + token->str()});
        }
      }
    }
  }
  return faults;
}

// RocksDB's vocabulary stays where the store is: what opens, writes and reads it.
std::vector<Fault> CheckRocksIncludes(const SourceTree& tree) {
  static const std::regex include(R"(^\s*#\s*include\s+["<]rocksdb/)");
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (!IsCpp(path) || StartsWith(path, "storage/") || StartsWith(path, "tests/")) continue;
    int number = 0;
    for (const std::string& line : LinesOf(file.text)) {
      ++number;
      if (std::regex_search(line, include)) {
        faults.push_back({path, number, "only storage/ includes RocksDB"});
      }
    }
  }
  return faults;
}

}  // namespace

std::vector<Rule> LayerRules() {
  return {{"layers by include", CheckIncludes},
          {"layers by link", CheckLinks},
          {"RocksDB stays inside storage", CheckRocksIncludes}};
}

}  // namespace relations::tidy
