// Structured logs: one JSON object a line on standard error, with `time`, `level`, `message` and
// the fields of the call. Nothing secret is ever a field: callers pass ids and counts, never
// credentials.
//
//   LogInfo("request", {{"id", request_id}, {"entity", id}, {"nodes", nodes}, {"ms", ms}});
//
// Thread-safe. Strings may hold any bytes: what is not valid UTF-8 or is a control character is
// escaped, so a line is always one valid JSON object.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace relations {

struct LogField {
  LogField(absl::string_view field_name, absl::string_view text) : name(field_name), value(text) {}
  LogField(absl::string_view field_name, const std::string& text)
      : name(field_name), value(absl::string_view(text)) {}
  LogField(absl::string_view field_name, const char* text)
      : name(field_name), value(absl::string_view(text)) {}
  LogField(absl::string_view field_name, double number) : name(field_name), value(number) {}
  LogField(absl::string_view field_name, bool truth) : name(field_name), value(truth) {}
  template <typename Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
      LogField(absl::string_view field_name, Integer number)
      : name(field_name), value(static_cast<int64_t>(number)) {}

  // Both views must outlive the log call that the field is passed to.
  absl::string_view name;
  std::variant<absl::string_view, int64_t, double, bool> value;
};

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Sets the process's log up: the lowest level that is written ("debug", "info", "warning", "error")
// and the program's name, which every line carries. INVALID_ARGUMENT names the accepted levels.
absl::Status SetUpLog(absl::string_view program, absl::string_view level);

// Changes the lowest level that is written, from the next line on. INVALID_ARGUMENT as SetUpLog.
absl::Status SetLogLevel(absl::string_view level);

// One level more talkative (`steps` > 0) or less; stops at debug and at error. The name of the
// level now.
const char* StepLogLevel(int steps);

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {});

inline void LogInfo(absl::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(absl::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(absl::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

}  // namespace relations
