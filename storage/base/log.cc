#include "storage/base/log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"
#include "storage/base/json_text.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

const char* NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

constexpr std::array<LogLevel, 4> kLevels = {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning,
                                             LogLevel::kError};

absl::StatusOr<LogLevel> ParseLevel(absl::string_view text) {
  for (const LogLevel level : kLevels) {
    if (text == NameOf(level)) return level;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log level must be debug, info, warning or error, not \"", text, "\""));
}

void AppendValue(const std::variant<absl::string_view, int64_t, double, bool>& value,
                 std::string& line) {
  if (const auto* text = std::get_if<absl::string_view>(&value)) {
    AppendJsonString(*text, line);
  } else if (const auto* number = std::get_if<int64_t>(&value)) {
    absl::StrAppend(&line, *number);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    line += *truth ? "true" : "false";
  } else {
    const double real = std::get<double>(value);
    // JSON has no NaN and no infinity.
    absl::StrAppend(&line, std::isfinite(real) ? real : 0.0);
  }
}

// Longer than most lines.
constexpr size_t kLineBytes = 640;

// Appends `now` as a JSON string: "2023-06-15T14:30:00.123456Z". The text of the second is kept,
// for thousands of lines share it.
void AppendTime(absl::Time now, std::string& line) {
  thread_local int64_t second = std::numeric_limits<int64_t>::min();
  thread_local std::string text;
  const int64_t micros = absl::ToUnixMicros(now);
  const int64_t seconds = absl::ToUnixSeconds(now);
  if (seconds != second) {
    text = absl::FormatTime("\"%Y-%m-%dT%H:%M:%S.", now, absl::UTCTimeZone());
    second = seconds;
  }
  line += text;
  const std::string fraction = std::to_string(1'000'000 + micros - seconds * 1'000'000);
  line.append(fraction, 1, 6);
  line += "Z\"";
}

}  // namespace

absl::Status SetUpLog(absl::string_view program, absl::string_view level) {
  ASSIGN_OR_RETURN(const LogLevel lowest, ParseLevel(level));
  auto logger = std::make_shared<spdlog::logger>(std::string(program),
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(ToSpdlog(lowest));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

absl::Status SetLogLevel(absl::string_view level) {
  ASSIGN_OR_RETURN(const LogLevel lowest, ParseLevel(level));
  spdlog::default_logger()->set_level(ToSpdlog(lowest));
  return absl::OkStatus();
}

const char* StepLogLevel(int steps) {
  const auto logger = spdlog::default_logger();
  size_t now = 0;
  while (now + 1 < kLevels.size() && ToSpdlog(kLevels[now]) != logger->level()) ++now;
  const int last = static_cast<int>(kLevels.size()) - 1;
  const LogLevel level = kLevels[std::clamp(static_cast<int>(now) - steps, 0, last)];
  logger->set_level(ToSpdlog(level));
  return NameOf(level);
}

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  const auto logger = spdlog::default_logger();
  if (!logger->should_log(ToSpdlog(level))) {
    return;
  }
  std::string line;
  line.reserve(kLineBytes);
  line += "{\"time\":";
  AppendTime(absl::Now(), line);
  absl::StrAppend(&line, ",\"level\":\"", NameOf(level), "\",\"program\":");
  AppendJsonString(absl::string_view(logger->name().data(), logger->name().size()), line);
  line += ",\"message\":";
  AppendJsonString(message, line);
  for (const LogField& field : fields) {
    line += ',';
    AppendJsonString(field.name, line);
    line += ':';
    AppendValue(field.value, line);
  }
  line += '}';
  logger->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace relations
