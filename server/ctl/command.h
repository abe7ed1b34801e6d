// What every command of relationsctl shares: the global settings, how its own options are declared,
// and how it becomes the one that runs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/ctl/administration.h"
#include "server/ctl/rpc_client.h"

namespace relations {

// Filled by the command line, the environment and the config file before a command runs.
struct GlobalSettings {
  // The directory of a stopped store; empty when the command is for a server.
  std::string data;
  // The address of a running server; empty when the command is for a directory.
  std::string server;
  // The file with the caller's secret; may be empty.
  std::string credentials;
  int timeout_ms = 30000;
  // TLS towards the server: authorities, our own certificate and its key, the name to expect.
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_name;
};

// The command that the command line names; set while it is parsed, run afterwards. What it prints
// on standard output is its result; an error that it returns is told on standard error by the
// caller.
using CommandBody = std::function<absl::Status()>;

// Adds the commands of one group to `app`. Each puts its body into `chosen` when it is the one that
// the command line names. `globals` and `chosen` must outlive the parsing and the run.
void AddImportCommand(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen);
void AddCredentialCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen);
void AddQueryCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen);
void AddStoreCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen);
void AddWithdrawalCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen);
void AddWatchCommand(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen);
void AddBackupCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen);

// The environment variable of an option of a command: RELATIONS_KEYS_CREATE_USER for `--user` of
// `keys create`. Its place in the config file is `user` in the section [keys.create].
std::string EnvironmentNameOf(const CLI::App& command, const std::string& option);

// An option `--name` of `command`; `variable` holds the default and receives the value, and must
// outlive the parsing.
template <typename T>
CLI::Option* AddOption(CLI::App& command, const std::string& name, T& variable,
                       const std::string& description) {
  return command.add_option("--" + name, variable, description)
      ->envname(EnvironmentNameOf(command, name));
}
// The same, of comma-separated values.
CLI::Option* AddList(CLI::App& command, const std::string& name, std::vector<std::string>& variable,
                     const std::string& description);
// A switch `--name`, off by default.
CLI::Option* AddSwitch(CLI::App& command, const std::string& name, bool& variable,
                       const std::string& description);

// The directory, or INVALID_ARGUMENT that says that the command `name` needs one.
absl::StatusOr<std::string> NeedDirectory(const GlobalSettings& globals, const std::string& name);
// How to reach the server, the credentials read; or INVALID_ARGUMENT that says that the command
// `name` needs one.
absl::StatusOr<RpcClient::Options> NeedServer(const GlobalSettings& globals,
                                              const std::string& name);

// The directory or the server, whichever is given; or INVALID_ARGUMENT that says that the command
// `name` needs one.
absl::StatusOr<std::unique_ptr<Administration>> AdministrationOf(const GlobalSettings& globals,
                                                                 const std::string& name);

}  // namespace relations
