#include "tests/bench/json_lines_sink.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/base/status_macros.h"

namespace relations::bench {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

void AppendDigits(uint64_t number, int digits, std::string& out) {
  char text[8];
  for (int i = digits; i-- > 0; number /= 10) text[i] = static_cast<char>('0' + number % 10);
  out.append(text, static_cast<size_t>(digits));
}

// RFC 3339 in UTC, by the civil calendar's arithmetic: formatting by a library would take most of
// the time of a line. The years 1970 to 9999.
void AppendTime(int64_t unix_seconds, std::string& out) {
  const auto seconds = static_cast<uint64_t>(unix_seconds);
  // Days since 0000-03-01, so that a leap day ends its year; eras are of 400 years.
  const uint64_t days = seconds / 86'400 + 719'468;
  const uint64_t era = days / 146'097;
  const uint64_t day_of_era = days % 146'097;
  const uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t shifted_month = (5 * day_of_year + 2) / 153;
  const uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  AppendDigits(era * 400 + year_of_era + (month <= 2 ? 1 : 0), 4, out);
  out += '-';
  AppendDigits(month, 2, out);
  out += '-';
  AppendDigits(day_of_year - (153 * shifted_month + 2) / 5 + 1, 2, out);
  out += 'T';
  AppendDigits(seconds / 3600 % 24, 2, out);
  out += ':';
  AppendDigits(seconds / 60 % 60, 2, out);
  out += ':';
  AppendDigits(seconds % 60, 2, out);
  out += 'Z';
}

template <typename Strings>
void AppendStrings(const Strings& strings, std::string& out) {
  out += '[';
  bool first = true;
  for (const std::string& text : strings) {
    out += first ? "\"" : ",\"";
    out += text;
    out += '"';
    first = false;
  }
  out += ']';
}

void AppendValue(const google::protobuf::Value& value, std::string& out) {
  if (value.kind_case() == google::protobuf::Value::kStringValue) {
    out += '"';
    out += value.string_value();
    out += '"';
  } else if (value.kind_case() == google::protobuf::Value::kBoolValue) {
    out += value.bool_value() ? "true" : "false";
  } else {
    absl::StrAppend(&out, static_cast<int64_t>(value.number_value()));
  }
}

void AppendAttributes(const relations::v1::Entity& entity, std::string& out) {
  // A message's map has no order; the file must be the same every time.
  std::vector<std::pair<absl::string_view, const google::protobuf::Value*>> ordered;
  for (const auto& [key, value] : entity.attributes()) ordered.emplace_back(key, &value);
  std::sort(ordered.begin(), ordered.end());
  out += '{';
  for (size_t i = 0; i < ordered.size(); ++i) {
    out += i == 0 ? "\"" : ",\"";
    out.append(ordered[i].first.data(), ordered[i].first.size());
    out += "\":";
    AppendValue(*ordered[i].second, out);
  }
  out += '}';
}

}  // namespace

absl::Status JsonLinesSink::OnEntity(relations::v1::Entity entity, const ImportPosition&) {
  buffer_ += R"({"id":")";
  buffer_ += entity.id();
  buffer_ += R"(","type":")";
  buffer_ += entity.type();
  buffer_ += R"(","@timestamp":")";
  AppendTime(entity.timestamp().seconds(), buffer_);
  absl::StrAppend(&buffer_, R"(","reputation":)", entity.reputation(), R"(,"bestReputation":)",
                  entity.best_reputation(), R"(,"worstReputation":)", entity.worst_reputation(),
                  R"(,"accuracy":)", entity.accuracy(), R"(,"lastSeen":")");
  AppendTime(entity.last_seen().seconds(), buffer_);
  buffer_ += R"(","tags":)";
  AppendStrings(entity.tags(), buffer_);
  buffer_ += R"(,"visibleBy":)";
  AppendStrings(entity.visible_by(), buffer_);
  buffer_ += R"(,"attributes":)";
  AppendAttributes(entity, buffer_);
  return EndLine();
}

absl::Status JsonLinesSink::OnRelation(ImportedRelation relation, const ImportPosition&) {
  buffer_ += R"({"source":")";
  buffer_ += relation.source;
  buffer_ += R"(","target":")";
  buffer_ += relation.target;
  buffer_ += R"(","type":")";
  buffer_ += relation.type;
  buffer_ += '"';
  if (relation.mode != RelationMode::kAssociation) buffer_ += R"(,"mode":"aggregation")";
  if (relation.last_seen.has_value()) {
    buffer_ += R"(,"lastSeen":")";
    AppendTime(absl::ToUnixSeconds(*relation.last_seen), buffer_);
    buffer_ += '"';
  }
  if (relation.visible_by.has_value()) {
    buffer_ += R"(,"visibleBy":)";
    AppendStrings(*relation.visible_by, buffer_);
  }
  return EndLine();
}

absl::Status JsonLinesSink::OnRejected(const ImportPosition&, absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

absl::Status JsonLinesSink::EndLine() {
  buffer_ += "}\n";
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : WriteOut();
}

absl::Status JsonLinesSink::WriteOut() {
  if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size()) {
    return absl::ErrnoToStatus(errno, "writing JSON Lines");
  }
  bytes_ += buffer_.size();
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status JsonLinesSink::Finish() {
  RETURN_IF_ERROR(WriteOut());
  if (std::fflush(file_) != 0) return absl::ErrnoToStatus(errno, "writing JSON Lines");
  return absl::OkStatus();
}

}  // namespace relations::bench
