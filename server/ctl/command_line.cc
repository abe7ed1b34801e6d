#include "server/ctl/command_line.h"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/ctl/command.h"
#include "server/ctl/exit_code.h"
#include "server/ctl/printable.h"
#include "storage/base/log.h"
#include "storage/base/settings.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

constexpr char kFooter[] =
    "Every option is also an environment variable (as each --help says) and a key of the file "
    "that\n"
    "--config names: `data = ...`, and in a section for a command: [import], [keys.create].\n"
    "Secrets are read from files only.\n"
    "\n"
    "Exit codes: 0 done; 1 failed, or `check` found damage, or records were rejected under "
    "--strict;\n"
    "2 wrong usage; 3 no such entity, credential, file or store; 4 credentials not accepted;\n"
    "5 server not reachable or too slow.";

// "relationsctl: --days: Value 0 not in range 1 to 3650 (see relationsctl keys create --help)"
std::string UsageMessage(const CLI::App* app, const CLI::Error& error) {
  std::string command = "relationsctl";
  for (const CLI::App* named = app; !named->get_subcommands().empty();) {
    named = named->get_subcommands().front();
    absl::StrAppend(&command, " ", named->get_name());
  }
  std::string cause = error.what();
  // A word that nobody knows is why something else is missing.
  const std::vector<std::string> unknown = app->remaining(/*recurse=*/true);
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
      !unknown.empty()) {
    cause = absl::StrCat("not expected: ", unknown.front());
  }
  return absl::StrCat("relationsctl: ", Printable(cause), " (see ", command, " --help)\n");
}

bool IsOnCommandLine(int argc, const char* const* argv, const std::string& flag) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == flag || absl::StartsWith(argv[i], flag + "=")) return true;
  }
  return false;
}

// A directory or a server named on the command line puts one that the environment or the config
// file names out of question.
absl::Status ChoosePlace(int argc, const char* const* argv, GlobalSettings& globals) {
  if (globals.data.empty() || globals.server.empty()) return absl::OkStatus();
  const bool data_named = IsOnCommandLine(argc, argv, "--data");
  if (data_named == IsOnCommandLine(argc, argv, "--server")) {
    return absl::InvalidArgumentError(
        "both a directory (--data) and a server (--server) are given: which is meant?");
  }
  (data_named ? globals.server : globals.data).clear();
  return absl::OkStatus();
}

// A command's result that could not be printed is not done.
absl::Status FlushOutput() {
  if (std::cout.flush()) return absl::OkStatus();
  return absl::InternalError("cannot write to standard output");
}

absl::Status Run(int argc, const char* const* argv, GlobalSettings& globals,
                 const CommandBody& chosen) {
  RETURN_IF_ERROR(SetUpLog("relationsctl", "warning"));
  RETURN_IF_ERROR(ChoosePlace(argc, argv, globals));
  const absl::Status status = chosen();
  const absl::Status flushed = FlushOutput();
  return status.ok() ? flushed : status;
}

int ParseAndRun(int argc, const char* const* argv) {
  CLI::App app("Operates a relations store: imports, credentials, queries, checks, backups.",
               "relationsctl");
  app.failure_message(UsageMessage);
  // Global options may stand behind a command's name too.
  app.fallthrough();
  app.require_subcommand(1);
  Settings settings(app);
  GlobalSettings globals;
  AddOption(app, "data", globals.data, "Directory of a stopped store")->type_name("DIR");
  AddOption(app, "server", globals.server, "Running server: HOST:PORT or unix:PATH")
      ->type_name("ADDR");
  AddOption(app, "credentials", globals.credentials,
            "File with what `keys create --json` or `sessions create --json` printed, - for "
            "standard input")
      ->type_name("FILE");
  AddOption(app, "timeout-ms", globals.timeout_ms, "Longest wait for an answer of the server")
      ->type_name("MS")
      ->check(CLI::Range(1, 3600 * 1000))
      ->capture_default_str();
  AddOption(app, "tls-ca", globals.tls_ca,
            "Authorities of the server's certificate; TLS is spoken where this or --tls-cert is")
      ->type_name("FILE");
  AddOption(app, "tls-cert", globals.tls_cert, "Certificate to show to the server")
      ->type_name("FILE");
  AddOption(app, "tls-key", globals.tls_key, "Private key of that certificate")->type_name("FILE");
  AddOption(app, "tls-name", globals.tls_name,
            "Name in the server's certificate, where it is not the host of --server")
      ->type_name("NAME");
  CommandBody chosen;
  AddImportCommand(app, globals, chosen);
  AddQueryCommands(app, globals, chosen);
  AddCredentialCommands(app, globals, chosen);
  AddStoreCommands(app, globals, chosen);
  AddWithdrawalCommands(app, globals, chosen);
  AddWatchCommand(app, globals, chosen);
  AddBackupCommands(app, globals, chosen);
  // Commands inherit what is set before they are added; this is for the top level alone.
  app.footer(kFooter);
  if (const std::optional<int> code = settings.Parse(argc, argv)) return *code;

  const absl::Status status = Run(argc, argv, globals, chosen);
  if (!status.ok()) std::cerr << "relationsctl: " << Explain(status) << "\n";
  return ExitCodeOf(status);
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv) {
  // gRPC tells on standard error what the status says anyway.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  try {
    return ParseAndRun(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "relationsctl: " << Printable(error.what()) << "\n";
    return kExitFailure;
  }
}

}  // namespace relations
