// relationsctl import: intelligence files into a stopped store.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "server/ctl/command.h"
#include "server/ctl/local_store.h"
#include "server/ctl/printable.h"
#include "server/ctl/progress_bar.h"
#include "storage/base/status_macros.h"
#include "storage/import/importer.h"
#include "storage/rocks/bulk_import.h"

namespace relations {
namespace {

// A feed in the wrong format has a million rejected records: the first ones tell why.
constexpr uint64_t kRejectsShown = 100;
// Of the block cache: what an import reads of a store it mostly reads once.
constexpr uint64_t kCacheBytes = uint64_t{64} << 20;

struct ImportSettings {
  std::vector<std::string> paths;
  std::string format = "auto";
  std::vector<std::string> visible_by = {"public"};
  bool strict = false;
  bool all_rejects = false;
  bool json = false;
};

struct ImportResult {
  BulkImport::Counts counts;
  ImportTotals totals;
  double seconds = 0;
};

// "FILE:LINE: reason" or "FILE: where: reason", on one line whatever the file holds.
std::string RejectText(const ImportPosition& position, absl::string_view reason) {
  std::string place = position.file;
  if (position.line > 0) absl::StrAppend(&place, ":", position.line);
  if (!position.where.empty()) absl::StrAppend(&place, ": ", position.where);
  return Printable(absl::StrCat(place, ": ", reason));
}

// Tells rejected records on standard error, the first ones or all.
class RejectReport {
 public:
  RejectReport(bool all, ProgressBar& bar) : all_(all), bar_(bar) {}

  void Add(const ImportPosition& position, absl::string_view reason) {
    ++count_;
    if (!all_ && count_ > kRejectsShown) return;
    bar_.Clear();
    std::cerr << RejectText(position, reason) << "\n";
  }
  void Finish() const {
    if (all_ || count_ <= kRejectsShown) return;
    std::cerr << "... and " << count_ - kRejectsShown
              << " more rejected (--all-rejects lists them)\n";
  }
  uint64_t count() const { return count_; }

 private:
  const bool all_;
  ProgressBar& bar_;
  uint64_t count_ = 0;
};

absl::StatusOr<ImportResult> ReadAndLink(const std::vector<std::string>& paths,
                                         const ImportOptions& options, BulkImport& sink,
                                         ProgressBar& bar) {
  ImportResult result;
  ASSIGN_OR_RETURN(result.totals, Import(paths, options, sink, &bar));
  ASSIGN_OR_RETURN(result.counts, sink.Finish());
  return result;
}

absl::StatusOr<ImportResult> ImportInto(RocksGraphStore& graph, const ImportSettings& settings,
                                        const ImportOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  ProgressBar bar(StandardErrorIsTerminal());
  RejectReport rejects(settings.all_rejects, bar);
  BulkImport::Options sink_options;
  sink_options.on_rejected = [&rejects](const ImportPosition& position, absl::string_view reason) {
    rejects.Add(position, reason);
  };
  sink_options.on_step = [&bar](absl::string_view step) { bar.ShowStep(std::string(step)); };
  sink_options.strict = settings.strict;
  BulkImport sink(&graph, std::move(sink_options));
  absl::StatusOr<ImportResult> result = ReadAndLink(settings.paths, options, sink, bar);
  bar.Clear();
  rejects.Finish();
  if (!result.ok() && settings.strict && rejects.count() > 0) {
    return absl::FailedPreconditionError(
        "import stopped at the first rejected record (--strict); nothing is imported");
  }
  if (result.ok()) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    result->seconds = elapsed.count();
  }
  return result;
}

void PrintJson(const ImportResult& result) {
  std::cout << absl::StrFormat(
                   R"({"entities":%d,"relations":%d,"rejected":%d,"bytes":%d,"seconds":%.3f})",
                   result.counts.entities, result.counts.relations, result.counts.rejected,
                   result.totals.bytes, result.seconds)
            << "\n";
}

void PrintSummary(const ImportResult& result) {
  std::cout << Counted(result.counts.entities, "entity", "entities") << ", "
            << Counted(result.counts.relations, "relation", "relations") << " from "
            << Counted(result.totals.files, "file", "files") << ", "
            << BytesText(result.totals.bytes) << absl::StrFormat(" in %.1f s\n", result.seconds);
  if (result.counts.rejected > 0) {
    std::cout << Counted(result.counts.rejected, "record", "records") << " rejected\n";
  }
  if (result.totals.dangling > 0) {
    std::cout << Counted(result.totals.dangling, "reference", "references")
              << " to what the input does not hold\n";
  }
  if (result.totals.skipped.empty()) return;
  std::cout << "not mapped to entities or relations:\n";
  for (const auto& [kind, count] : result.totals.skipped) {
    std::cout << "  " << Printable(kind) << " " << count << "\n";
  }
}

absl::StatusOr<ImportOptions> OptionsOf(const ImportSettings& settings) {
  ImportOptions options;
  if (!ParseImportFormat(settings.format, &options.format)) {
    return absl::InvalidArgumentError(absl::StrCat("unknown import format ", settings.format));
  }
  for (const std::string& group : settings.visible_by) {
    if (!IsGroupName(group)) {
      return absl::InvalidArgumentError(absl::StrCat("--visible-by: no group name: ", group));
    }
  }
  options.visible_by = CanonicalGroups(settings.visible_by);
  options.strict = settings.strict;
  options.now = absl::Now();
  return options;
}

absl::Status RunImport(const ImportSettings& settings, const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(const std::string directory, NeedDirectory(globals, "import"));
  ASSIGN_OR_RETURN(const ImportOptions options, OptionsOf(settings));
  ASSIGN_OR_RETURN(auto database, OpenDatabase(directory, OpenMode::kCreateIfMissing, kCacheBytes));
  ASSIGN_OR_RETURN(auto graph, RocksGraphStore::Open(database.get(), {.node_cache_bytes = 0}));
  ASSIGN_OR_RETURN(const ImportResult result, ImportInto(*graph, settings, options));
  graph.reset();
  // Only a store that is safely closed has the import.
  RETURN_IF_ERROR(database->Close());
  settings.json ? PrintJson(result) : PrintSummary(result);
  return absl::OkStatus();
}

}  // namespace

void AddImportCommand(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen) {
  CLI::App* const command = app.add_subcommand(
      "import",
      "Import files of threat intelligence into a stopped store (--data), which is made when there "
      "is none. All of it becomes part of the store at once, at the end, or nothing. Rejected "
      "records are told on standard error; importing the same again changes nothing.");
  const auto settings = std::make_shared<ImportSettings>();
  command
      ->add_option("PATH", settings->paths,
                   "Files (plain or gzip), directories, or - for standard input")
      ->required();
  AddOption(*command, "format", settings->format, "What the input is; auto looks at each file")
      ->check(CLI::IsMember({"auto", "jsonl", "stix", "misp"}))
      ->capture_default_str();
  AddList(*command, "visible-by", settings->visible_by,
          "Groups that may see what the input itself does not restrict")
      ->type_name("GROUP,...")
      ->capture_default_str();
  AddSwitch(*command, "strict", settings->strict, "Stop at the first rejected record and fail");
  AddSwitch(*command, "all-rejects", settings->all_rejects,
            absl::StrCat("List every rejected record, not only the first ", kRejectsShown));
  AddSwitch(*command, "json", settings->json,
            R"(Print {"entities","relations","rejected","bytes","seconds"} as the last line)");
  command->callback([settings, &globals, &chosen] {
    chosen = [settings, &globals] { return RunImport(*settings, globals); };
  });
}

}  // namespace relations
