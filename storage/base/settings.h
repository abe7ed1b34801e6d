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

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace relations {

// "RELATIONS_DRAIN_TIMEOUT_MS" for "drain-timeout-ms".
std::string EnvironmentName(const std::string& setting);

// A setting as it counts, with where its value comes from: "flag", "environment RELATIONS_X",
// "file" or "default". A password inside a URL is hidden.
struct EffectiveSetting {
  std::string name;
  std::string value;
  std::string origin;
};

// The settings whose values differ in the two, which are of one program.
std::vector<EffectiveSetting> ChangedSettings(const std::vector<EffectiveSetting>& before,
                                              const std::vector<EffectiveSetting>& after);

class Settings {
 public:
  // `app` is not owned and must outlive this.
  explicit Settings(CLI::App& app);

  // `name` is lower case with hyphens. `variable` holds the default and receives the value.
  template <typename T>
  CLI::Option* Add(const std::string& name, T& variable, const std::string& description) {
    CLI::Option* const option =
        app_.add_option("--" + name, variable, description + " [" + EnvironmentName(name) + "]")
            ->envname(EnvironmentName(name))
            ->capture_default_str();
    entries_.push_back({name, option, [&variable] { return Show(variable); }});
    return option;
  }

  // A setting that is on or off.
  CLI::Option* AddSwitch(const std::string& name, bool& variable, const std::string& description);

  // Parses. Returns an exit code when the process must end: 0 after --help or --version, 2 after a
  // message on standard error that names what is wrong.
  std::optional<int> Parse(int argc, const char* const* argv);

  // The same for settings read again while the process runs: nothing is printed, and what is wrong
  // is an INVALID_ARGUMENT.
  absl::Status Reparse(int argc, const char* const* argv);

  // Adds --print-config, which makes Parse print the effective settings in the form of a config
  // file, each under a comment with its origin, and end with 0.
  void OfferPrintConfig();

  // All settings, in order of definition. REQUIRES: they were parsed, and the variables live.
  std::vector<EffectiveSetting> Effective(int argc, const char* const* argv) const;

 private:
  struct Entry {
    std::string name;
    CLI::Option* option;
    std::function<std::string()> show;
  };

  static std::string Show(const std::string& value) { return value; }
  static std::string Show(bool value) { return value ? "true" : "false"; }
  static std::string Show(const std::vector<std::string>& values);
  template <typename T>
  requires(std::is_arithmetic_v<T>) static std::string Show(T value) {
    return std::to_string(value);
  }
  template <typename T>
  requires(std::is_arithmetic_v<T>) static std::string Show(const std::vector<T>& values) {
    std::vector<std::string> texts;
    for (const T value : values) texts.push_back(std::to_string(value));
    return Show(texts);
  }

  CLI::App& app_;
  std::vector<Entry> entries_;
  bool print_config_ = false;
};

}  // namespace relations
