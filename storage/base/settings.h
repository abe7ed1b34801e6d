// Settings of a binary: each is a flag, an environment variable and a key of the config file, with
// one definition.
//
//   CLI::App app("serves the graph");
//   Settings settings(app);
//   settings.Add("listen", listen, "address to serve on");   // --listen, RELATIONS_LISTEN, listen
//   = ... if (std::optional<int> exit_code = settings.Parse(argc, argv)) return *exit_code;
//
// A flag beats the environment, which beats the file (`--config FILE`, `key = value` lines), which
// beats the default. Unknown flags and unknown keys of the file are errors. A key of a section of
// the file (`[import]`, `format = stix`) is an option of that subcommand, in the environment
// RELATIONS_IMPORT_FORMAT.
#pragma once

#include <optional>
#include <string>

#include "CLI/CLI.hpp"

namespace relations {

// "RELATIONS_DRAIN_TIMEOUT_MS" for "drain-timeout-ms".
std::string EnvironmentName(const std::string& setting);

class Settings {
 public:
  // `app` is not owned and must outlive this.
  explicit Settings(CLI::App& app);

  // `name` is lower case with hyphens. `variable` holds the default and receives the value.
  template <typename T>
  CLI::Option* Add(const std::string& name, T& variable, const std::string& description) {
    return app_.add_option("--" + name, variable, description + " [" + EnvironmentName(name) + "]")
        ->envname(EnvironmentName(name))
        ->capture_default_str();
  }

  // A setting that is on or off.
  CLI::Option* AddSwitch(const std::string& name, bool& variable, const std::string& description);

  // Parses. Returns an exit code when the process must end: 0 after --help or --version, 2 after a
  // message on standard error that names what is wrong.
  std::optional<int> Parse(int argc, const char* const* argv);

 private:
  CLI::App& app_;
};

}  // namespace relations
