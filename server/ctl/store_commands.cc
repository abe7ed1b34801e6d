// relationsctl stats and check: how large a store is, and whether it is sound.
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/ctl/administration.h"
#include "server/ctl/command.h"
#include "server/ctl/json_object.h"
#include "server/ctl/local_store.h"
#include "server/ctl/printable.h"
#include "server/ctl/progress_bar.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/integrity.h"

namespace relations {
namespace {

struct StoreSettings {
  bool json = false;
};

using Counts = std::map<std::string, uint64_t>;

// {"ip":12,"url":3}
std::string CountsJson(const Counts& counts) {
  JsonObject object;
  for (const auto& [name, count] : counts) object.AddNumber(name, static_cast<int64_t>(count));
  return object.Text();
}

std::string DegreesJson(const v1::Degrees& degrees) {
  return JsonObject()
      .AddNumber("sampled", static_cast<int64_t>(degrees.sampled()))
      .AddNumber("median", static_cast<int64_t>(degrees.median()))
      .AddNumber("p90", static_cast<int64_t>(degrees.p90()))
      .AddNumber("p99", static_cast<int64_t>(degrees.p99()))
      .AddNumber("most", static_cast<int64_t>(degrees.most()))
      .Text();
}

std::string CachesJson(const v1::GetStatsResponse& stats) {
  JsonObject object;
  for (const auto& [name, cache] : std::map(stats.caches().begin(), stats.caches().end())) {
    object.AddJson(name, CountsJson({{"capacityBytes", cache.capacity_bytes()},
                                     {"bytes", cache.bytes()},
                                     {"hits", cache.hits()},
                                     {"misses", cache.misses()}}));
  }
  return object.Text();
}

// "3 of 4 MB, 99.5 % of 1200 look-ups found"
std::string CacheText(const v1::CacheUse& cache) {
  std::string text =
      absl::StrCat(BytesText(cache.bytes()), " of ", BytesText(cache.capacity_bytes()));
  const uint64_t lookups = cache.hits() + cache.misses();
  if (lookups == 0) return text;
  const uint64_t permille = cache.hits() * 1000 / lookups;
  return absl::StrCat(text, ", ", permille / 10, ".", permille % 10, " % of ", lookups,
                      " look-ups found");
}

std::string StatsJson(const v1::GetStatsResponse& stats, const Counts& types,
                      const Counts& families) {
  const auto total = [](uint64_t count) {
    return JsonObject().AddNumber("total", static_cast<int64_t>(count));
  };
  JsonObject object;
  object.AddJson("entities", total(stats.entities()).AddJson("byType", CountsJson(types)).Text())
      .AddJson("relations", total(stats.relations()).Text())
      .AddJson("bytes", CountsJson(families))
      .AddJson("degrees", DegreesJson(stats.degrees()));
  if (!stats.caches().empty()) object.AddJson("caches", CachesJson(stats));
  return object.Text();
}

std::string ReportJson(const IntegrityReport& report) {
  return JsonObject()
      .AddNumber("entities", static_cast<int64_t>(report.entities))
      .AddNumber("relations", static_cast<int64_t>(report.relations))
      .AddNumber("credentials", static_cast<int64_t>(report.credentials))
      .AddNumber("findingCount", static_cast<int64_t>(report.finding_count))
      .AddJson("findings", JsonStrings(report.findings))
      .Text();
}

void PrintLine(const std::string& name, const std::string& text) {
  const std::string printed = Printable(name);
  std::cout << "  " << printed << std::string(printed.size() < 30 ? 30 - printed.size() : 1, ' ')
            << text << "\n";
}

void PrintCounts(const Counts& counts, std::string (*text)(uint64_t)) {
  for (const auto& [name, count] : counts) PrintLine(name, text(count));
}

absl::Status RunStats(const StoreSettings& settings, const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(auto place, AdministrationOf(globals, "stats"));
  ASSIGN_OR_RETURN(const v1::GetStatsResponse stats, place->Stats());
  const Counts types(stats.entities_by_type().begin(), stats.entities_by_type().end());
  const Counts families(stats.bytes_by_family().begin(), stats.bytes_by_family().end());
  if (settings.json) {
    std::cout << PrintableJson(StatsJson(stats, types, families)) << "\n";
    return absl::OkStatus();
  }
  std::cout << Counted(stats.entities(), "entity", "entities") << "\n";
  PrintCounts(types, [](uint64_t count) { return absl::StrCat(count); });
  std::cout << Counted(stats.relations(), "relation", "relations") << "\n";
  const v1::Degrees& degrees = stats.degrees();
  if (degrees.sampled() != 0) {
    std::cout << "relations of an entity (" << degrees.sampled() << " looked at)\n";
    PrintLine("median", absl::StrCat(degrees.median()));
    PrintLine("90 of 100 at most", absl::StrCat(degrees.p90()));
    PrintLine("99 of 100 at most", absl::StrCat(degrees.p99()));
    PrintLine("most", absl::StrCat(degrees.most()));
  }
  std::cout << "on disk\n";
  PrintCounts(families, BytesText);
  if (stats.caches().empty()) return absl::OkStatus();
  std::cout << "caches\n";
  for (const auto& [name, cache] : std::map(stats.caches().begin(), stats.caches().end())) {
    PrintLine(name, CacheText(cache));
  }
  return absl::OkStatus();
}

absl::Status RunCheck(const StoreSettings& settings, const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(const std::string directory, NeedDirectory(globals, "check"));
  ASSIGN_OR_RETURN(auto database, OpenDatabase(directory, OpenMode::kExisting));
  ProgressBar bar(StandardErrorIsTerminal());
  IntegrityOptions options;
  options.progress = [&bar](absl::string_view step) { bar.ShowStep(std::string(step)); };
  ASSIGN_OR_RETURN(const IntegrityReport report, CheckIntegrity(*database, options));
  bar.Clear();
  if (settings.json) {
    std::cout << PrintableJson(ReportJson(report)) << "\n";
  } else {
    for (const std::string& finding : report.findings) std::cout << Printable(finding) << "\n";
    std::cout << Counted(report.entities, "entity", "entities") << ", "
              << Counted(report.relations, "relation", "relations") << ", "
              << Counted(report.credentials, "credential", "credentials") << " checked\n";
  }
  if (report.clean()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(Counted(report.finding_count, "finding", "findings"),
                                          " in ", directory,
                                          ": restore the store from a backup or import it anew"));
}

}  // namespace

void AddStoreCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen) {
  CLI::App* const stats = app.add_subcommand(
      "stats", "Count entities, relations and bytes, in a directory (--data) or at a server.");
  const auto stats_settings = std::make_shared<StoreSettings>();
  AddSwitch(*stats, "json", stats_settings->json,
            R"(Print {"entities":{"total","byType"},"relations":{"total"},"bytes":{...},)"
            R"("degrees":{...},"caches":{...}})");
  stats->callback([stats_settings, &globals, &chosen] {
    chosen = [stats_settings, &globals] { return RunStats(*stats_settings, globals); };
  });

  CLI::App* const check = app.add_subcommand(
      "check", "Verify every record of a stopped store (--data); exit code 1 when it has damage.");
  const auto check_settings = std::make_shared<StoreSettings>();
  AddSwitch(*check, "json", check_settings->json, "Print JSON");
  check->callback([check_settings, &globals, &chosen] {
    chosen = [check_settings, &globals] { return RunCheck(*check_settings, globals); };
  });
}

}  // namespace relations
