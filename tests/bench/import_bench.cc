// import_bench: what an import costs, as the operator runs it: time, CPU time and memory of
// relationsctl over a file.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "tests/bench/measure.h"

extern char** environ;

namespace relations::bench {
namespace {

struct ImportSettings {
  std::string program;
  std::string store;
  std::vector<std::string> files;
};

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

absl::Status Run(const ImportSettings& settings) {
  std::printf("%s\n", MachineLine().c_str());
  std::vector<std::string> arguments = {settings.program, "--data", settings.store, "import",
                                        "--json"};
  double megabytes = 0;
  for (const std::string& file : settings.files) {
    std::error_code error;
    megabytes += static_cast<double>(std::filesystem::file_size(file, error)) / 1e6;
    if (error) return absl::NotFoundError(absl::StrCat("cannot read ", file));
    arguments.push_back(file);
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  const int64_t start = WallNanos();
  pid_t child = 0;
  const int spawned =
      posix_spawnp(&child, settings.program.c_str(), nullptr, nullptr, argv.data(), environ);
  if (spawned != 0) return absl::ErrnoToStatus(spawned, absl::StrCat("starting ", argv[0]));
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0) {
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "waiting for the import");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return absl::InternalError("import failed");
  const double wall = static_cast<double>(WallNanos() - start) / 1e9;
  const double cpu = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  std::printf(
      "%.1f MB: %.1f s, %.1f s of CPU time; %.1f MB/s, %.1f MB/s a core; most memory "
      "%ld MB\n",
      megabytes, wall, cpu, megabytes / wall, megabytes / cpu, usage.ru_maxrss / 1024);
  return absl::OkStatus();
}

}  // namespace
}  // namespace relations::bench

int main(int argc, char** argv) {
  relations::bench::ImportSettings settings;
  settings.program =
      (std::filesystem::path(argv[0]).parent_path().parent_path() / "relationsctl").string();
  CLI::App app("Runs an import by relationsctl and tells its rate and its memory.", "import_bench");
  app.add_option("--program", settings.program, "relationsctl")->capture_default_str();
  app.add_option("--store", settings.store, "Directory of the store to import into")->required();
  app.add_option("FILE", settings.files, "What to import, uncompressed")->required();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = relations::bench::Run(settings);
  if (!status.ok()) std::fprintf(stderr, "import_bench: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
