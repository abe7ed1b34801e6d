// relationsctl backup, backups, restore, export and compact: a store kept, brought back, written
// out and put in order.
#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/ctl/command.h"
#include "server/ctl/json_object.h"
#include "server/ctl/local_store.h"
#include "server/ctl/printable.h"
#include "server/ctl/progress_bar.h"
#include "server/ctl/stix_writer.h"
#include "server/ctl/store_export.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/backup.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

struct BackupSettings {
  std::string backups;
  std::string out = "-";
  // Of the export of a part.
  std::string root;
  int limit = limits::kRelatedEntitiesMax;
  int levels = limits::kLevelsDefault;
  uint32_t id = 0;
  uint32_t keep = 0;
  bool json = false;
};

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string SummaryJson(const BackupSummary& backup) {
  return JsonObject()
      .AddNumber("id", backup.id)
      .AddString("createdAt", TimeText(backup.created_at))
      .AddNumber("bytes", static_cast<int64_t>(backup.bytes))
      .AddString("storeID", backup.store_id)
      .AddNumber("sequence", static_cast<int64_t>(backup.sequence))
      .Text();
}

std::string SummaryText(const BackupSummary& backup) {
  return absl::StrCat("backup ", backup.id, " of ", TimeText(backup.created_at), ", ",
                      BytesText(backup.bytes), ", store ", backup.store_id, " at ",
                      backup.sequence);
}

void Print(const BackupSettings& settings, const char* done, const BackupSummary& backup) {
  std::cout << Printable(settings.json ? SummaryJson(backup)
                                       : absl::StrCat(done, " ", SummaryText(backup)))
            << "\n";
}

BackupSummary SummaryOf(const v1::Backup& backup) {
  return {backup.id(), absl::FromUnixSeconds(backup.created_at().seconds()), backup.bytes(),
          backup.store_id(), backup.sequence()};
}

// At a server, whose settings say where backups are and how many are kept.
absl::Status RunBackupAtServer(const BackupSettings& settings, const GlobalSettings& globals) {
  if (!settings.backups.empty() || settings.keep > 0) {
    return absl::InvalidArgumentError(
        "--to and --keep are for --data: a server backs up into its own --backup-dir");
  }
  ASSIGN_OR_RETURN(RpcClient::Options options, NeedServer(globals, "backup"));
  ASSIGN_OR_RETURN(const auto answer, RpcClient(std::move(options)).CreateBackup());
  Print(settings, "verified", SummaryOf(answer.backup()));
  return absl::OkStatus();
}

absl::Status RunBackup(const BackupSettings& settings, const GlobalSettings& globals) {
  if (!globals.server.empty()) return RunBackupAtServer(settings, globals);
  if (settings.backups.empty()) {
    return absl::InvalidArgumentError("give --to DIR, the directory of the backups");
  }
  ASSIGN_OR_RETURN(const std::string directory, NeedDirectory(globals, "backup"));
  ASSIGN_OR_RETURN(const auto database, OpenDatabase(directory, OpenMode::kExisting));
  ASSIGN_OR_RETURN(const BackupSummary backup, CreateBackup(*database, settings.backups));
  Print(settings, "verified", backup);
  RETURN_IF_ERROR(database->Close());
  if (settings.keep > 0) return PruneBackups(settings.backups, settings.keep).status();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BackupSummary>> BackupsAtServer(const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(RpcClient::Options options, NeedServer(globals, "backups"));
  ASSIGN_OR_RETURN(const auto answer, RpcClient(std::move(options)).ListBackups());
  std::vector<BackupSummary> backups;
  for (const v1::Backup& backup : answer.backups()) backups.push_back(SummaryOf(backup));
  return backups;
}

absl::Status RunBackups(const BackupSettings& settings, const GlobalSettings& globals) {
  if (settings.backups.empty() && globals.server.empty()) {
    return absl::InvalidArgumentError("give --from DIR, the directory of the backups, or --server");
  }
  ASSIGN_OR_RETURN(const std::vector<BackupSummary> backups, settings.backups.empty()
                                                                 ? BackupsAtServer(globals)
                                                                 : ListBackups(settings.backups));
  JsonArray array;
  for (const BackupSummary& backup : backups) {
    if (settings.json) {
      array.AddJson(SummaryJson(backup));
    } else {
      std::cout << Printable(SummaryText(backup)) << "\n";
    }
  }
  if (settings.json) std::cout << PrintableJson(array.Text()) << "\n";
  return absl::OkStatus();
}

absl::Status RunRestore(const BackupSettings& settings, const GlobalSettings& globals) {
  if (globals.data.empty()) {
    return absl::InvalidArgumentError("restore makes a new store: give --data DIR");
  }
  ASSIGN_OR_RETURN(const BackupSummary backup,
                   RestoreBackup(settings.backups, settings.id, globals.data));
  Print(settings, "restored", backup);
  return absl::OkStatus();
}

absl::StatusOr<ExportCounts> ExportTo(std::ostream& out, const RocksDatabase& database) {
  return ExportStore(database, [&out](absl::string_view line) -> absl::Status {
    out.write(line.data(), static_cast<std::streamsize>(line.size()));
    if (!out.put('\n')) return absl::InternalError("cannot write the export");
    return absl::OkStatus();
  });
}

// What a server tells the caller of an entity's surroundings, as STIX.
absl::Status RunExportOfPart(const BackupSettings& settings, const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(RpcClient::Options options, NeedServer(globals, "export --root"));
  v1::GetRelationsRequest request;
  request.set_id(settings.root);
  request.set_limit(settings.limit);
  request.set_levels(settings.levels);
  ASSIGN_OR_RETURN(const auto answer, RpcClient(std::move(options)).GetRelations(request));
  const std::string bundle = PrintableJson(StixBundle(answer)) + "\n";
  if (settings.out == "-") {
    std::cout << bundle;
  } else {
    std::ofstream file(settings.out, std::ios::binary | std::ios::trunc);
    if (!(file << bundle) || !file.flush()) {
      return absl::InternalError(absl::StrCat("cannot write ", settings.out));
    }
  }
  if (answer.stop_reason() == v1::STOP_REASON_LIMIT) {
    std::cerr << "more exist around " << Printable(settings.root) << " than --limit\n";
  }
  return absl::OkStatus();
}

absl::Status RunExport(const BackupSettings& settings, const GlobalSettings& globals) {
  if (!settings.root.empty()) return RunExportOfPart(settings, globals);
  ASSIGN_OR_RETURN(const std::string directory, NeedDirectory(globals, "export"));
  ASSIGN_OR_RETURN(const auto database, OpenDatabase(directory, OpenMode::kExisting));
  if (settings.out == "-") return ExportTo(std::cout, *database).status();
  std::ofstream file(settings.out, std::ios::binary | std::ios::trunc);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot write ", settings.out));
  ASSIGN_OR_RETURN(const ExportCounts counts, ExportTo(file, *database));
  file.close();
  if (!file) return absl::InternalError(absl::StrCat("cannot write ", settings.out));
  std::cout << Counted(counts.entities, "entity", "entities") << ", "
            << Counted(counts.relations, "relation", "relations") << " exported\n";
  return absl::OkStatus();
}

absl::Status RunCompact(const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(const std::string directory, NeedDirectory(globals, "compact"));
  ASSIGN_OR_RETURN(const auto database, OpenDatabase(directory, OpenMode::kExisting));
  ProgressBar bar(StandardErrorIsTerminal());
  uint64_t before = 0;
  uint64_t after = 0;
  for (size_t i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    bar.ShowStep(absl::StrCat("compacting ", FamilyName(family)));
    before += database->BytesOnDisk(family);
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    RETURN_IF_ERROR(
        FromRocks(database->db().CompactRange(options, database->family(family), nullptr, nullptr),
                  "compacting"));
    after += database->BytesOnDisk(family);
  }
  bar.Clear();
  std::cout << BytesText(before) << " before, " << BytesText(after) << " after\n";
  return database->Close();
}

}  // namespace

void AddBackupCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen) {
  const auto settings = std::make_shared<BackupSettings>();
  CLI::App* const backup =
      app.add_subcommand("backup",
                         "Back up a store, stopped (--data) or served (--server); only what is new "
                         "is copied, all of it is "
                         "read back.");
  AddOption(*backup, "to", settings->backups,
            "Directory of the backups; a server (--server) has its own")
      ->type_name("DIR");
  AddOption(*backup, "keep", settings->keep, "Remove all but so many of the newest; 0 keeps all");
  AddSwitch(*backup, "json", settings->json,
            R"(Print {"id","createdAt","bytes","storeID","sequence"})");
  backup->callback([settings, &globals, &chosen] {
    chosen = [settings, &globals] { return RunBackup(*settings, globals); };
  });

  CLI::App* const backups = app.add_subcommand(
      "backups", "List the backups in a directory, or those of a server (--server).");
  AddOption(*backups, "from", settings->backups, "Directory of the backups")->type_name("DIR");
  AddSwitch(*backups, "json", settings->json, "Print a JSON array of what `backup --json` prints");
  backups->callback([settings, &globals, &chosen] {
    chosen = [settings, &globals] { return RunBackups(*settings, globals); };
  });

  CLI::App* const restore = app.add_subcommand(
      "restore", "Make a new store (--data) of a backup, which is verified first.");
  AddOption(*restore, "from", settings->backups, "Directory of the backups")
      ->type_name("DIR")
      ->required();
  AddOption(*restore, "id", settings->id, "Which backup; the newest when it is not given");
  AddSwitch(*restore, "json", settings->json, "Print what `backup --json` prints");
  restore->callback([settings, &globals, &chosen] {
    chosen = [settings, &globals] { return RunRestore(*settings, globals); };
  });

  CLI::App* const exported = app.add_subcommand(
      "export",
      "Write everything in a stopped store (--data) as JSON Lines, for `import`; or, with --root, "
      "an "
      "entity and what is around it, as far as the caller may see it at a server (--server), as a "
      "bundle of STIX 2.1.");
  AddOption(*exported, "out", settings->out, "File to write, - for standard output")
      ->type_name("FILE")
      ->capture_default_str();
  AddOption(*exported, "root", settings->root, "The entity whose surroundings to write as STIX")
      ->type_name("ID");
  AddOption(*exported, "limit", settings->limit, "With --root: most other entities")
      ->check(CLI::Range(1, limits::kRelatedEntitiesMax))
      ->capture_default_str();
  AddOption(*exported, "levels", settings->levels, "With --root: most hops from it")
      ->check(CLI::Range(1, limits::kLevelsMax))
      ->capture_default_str();
  exported->callback([settings, &globals, &chosen] {
    chosen = [settings, &globals] { return RunExport(*settings, globals); };
  });

  CLI::App* const compact = app.add_subcommand(
      "compact", "Rewrite the files of a stopped store (--data) as small as they can be.");
  compact->callback([&globals, &chosen] { chosen = [&globals] { return RunCompact(globals); }; });
}

}  // namespace relations
