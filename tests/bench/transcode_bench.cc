// transcode_bench: what it costs to turn the wire bytes of real answers into JSON, beside
// Protobuf's own parser and printer over the same answers in the same run.
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "gateway/answer_writer.h"
#include "relations/v1/relations.pb.h"
#include "server/answer.h"
#include "storage/base/status_macros.h"
#include "storage/traversal.h"
#include "tests/bench/bench_store.h"
#include "tests/bench/measure.h"
#include "tests/bench/question.h"

namespace relations::bench {
namespace {

using gateway::AnswerWriter;
using gateway::RelationDetails;

struct Settings {
  std::string store;
  std::string ids;
  std::string question = "50x3";
  size_t answers = 200;
  size_t rounds = 50;
};

// The wire bytes of the answers about the first ids of the first sample that the caller may see.
absl::StatusOr<std::vector<std::string>> Answers(const Settings& settings) {
  ASSIGN_OR_RETURN(const auto samples, ReadIds(settings.ids));
  ASSIGN_OR_RETURN(const Question question, ParseQuestion(settings.question));
  ASSIGN_OR_RETURN(const auto store,
                   BenchStore::Open(settings.store, {.block_bytes = uint64_t{256} << 20,
                                                     .node_bytes = uint64_t{256} << 20}));
  ExpandParams params;
  params.limit = question.limit;
  params.levels = question.levels;
  params.groups = CanonicalGroups({"public", "g1"});
  std::vector<std::string> answers;
  for (const std::string& id : samples.begin()->second) {
    if (answers.size() == settings.answers) break;
    params.root_id = id;
    const absl::StatusOr<ExpandedGraph> graph = Expand(store->graph(), params);
    if (absl::IsNotFound(graph.status())) continue;
    RETURN_IF_ERROR(graph.status());
    ASSIGN_OR_RETURN(const grpc::ByteBuffer bytes, AssembleAnswer(*graph));
    grpc::Slice slice;
    if (!bytes.TrySingleSlice(&slice).ok()) return absl::InternalError("an answer in pieces");
    answers.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  if (answers.empty()) return absl::FailedPreconditionError("the caller sees none of the ids");
  return answers;
}

struct Figures {
  Timing timing;
  size_t json_bytes = 0;
  size_t operations = 0;

  void Print(const char* name, double answers) {
    const double json = static_cast<double>(json_bytes) / static_cast<double>(operations);
    const double micros = timing.cpu.MedianMicros() / answers;
    std::printf("%-28s %10.1f %10.1f %10.0f\n", name, json / 1e3, micros, json / micros);
  }
};

// One round over all answers is one sample: a clock read at each would cost as much as the work.
template <typename Write>
absl::Status Measure(const std::vector<std::string>& answers, size_t rounds, Figures& figures,
                     const Write& write) {
  for (size_t round = 0; round < rounds; ++round) {
    const Stopwatch stopwatch(&figures.timing);
    for (const std::string& answer : answers) {
      ASSIGN_OR_RETURN(const size_t bytes, write(answer));
      figures.json_bytes += bytes;
      ++figures.operations;
    }
  }
  return absl::OkStatus();
}

absl::Status Run(const Settings& settings) {
  std::printf("%s\n", MachineLine().c_str());
  ASSIGN_OR_RETURN(const std::vector<std::string> answers, Answers(settings));
  size_t wire = 0;
  for (const std::string& answer : answers) wire += answer.size();
  const auto count = static_cast<double>(answers.size());
  std::printf("%zu answers of %.1f KB on the wire\n", answers.size(),
              static_cast<double>(wire) / count / 1e3);
  ASSIGN_OR_RETURN(const std::unique_ptr<AnswerWriter> writer, gateway::MakeAnswerWriter());
  Figures pairs;
  Figures details;
  Figures parsed;
  Figures printed;
  const auto ours = [&](RelationDetails with) {
    return [&writer, with](const std::string& answer) -> absl::StatusOr<size_t> {
      ASSIGN_OR_RETURN(const gateway::RestAnswer rest, writer->Write(answer, with));
      return rest.json.size();
    };
  };
  const auto parse = [](const std::string& answer) -> absl::StatusOr<size_t> {
    v1::GetRelationsResponse message;
    if (!message.ParseFromString(answer)) return absl::InternalError("no such message");
    return answer.size();
  };
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  const auto print = [&](const v1::GetRelationsResponse& message) -> absl::StatusOr<size_t> {
    std::string json;
    if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
      return absl::InternalError("no JSON");
    }
    return json.size();
  };
  RETURN_IF_ERROR(Measure(answers, settings.rounds, pairs, ours(RelationDetails::kLeaveOut)));
  RETURN_IF_ERROR(Measure(answers, settings.rounds, details, ours(RelationDetails::kInclude)));
  RETURN_IF_ERROR(Measure(answers, settings.rounds, parsed, parse));
  // Parsed beforehand: the printer alone is what the transcoder is compared with.
  std::vector<v1::GetRelationsResponse> messages(answers.size());
  for (size_t i = 0; i < answers.size(); ++i) messages[i].ParseFromString(answers[i]);
  for (size_t round = 0; round < std::max<size_t>(1, settings.rounds / 10); ++round) {
    const Stopwatch stopwatch(&printed.timing);
    for (const v1::GetRelationsResponse& message : messages) {
      ASSIGN_OR_RETURN(const size_t bytes, print(message));
      printed.json_bytes += bytes;
      ++printed.operations;
    }
  }
  std::printf("%-28s %10s %10s %10s\n", "", "KB", "cpu us", "MB/s");
  pairs.Print("transcoder, pairs", count);
  details.Print("transcoder, details", count);
  parsed.Print("protobuf, parsing", count);
  printed.Print("protobuf, printing", count);
  std::printf("printing / transcoding, with details: %.1f\n",
              printed.timing.cpu.MedianMicros() / details.timing.cpu.MedianMicros());
  return absl::OkStatus();
}

}  // namespace
}  // namespace relations::bench

int main(int argc, char** argv) {
  relations::bench::Settings settings;
  CLI::App app(
      "Turns the wire bytes of a store's answers into JSON, as the gateway does, and with "
      "Protobuf's own parser and printer. KB and MB/s are of the JSON (of the wire form for "
      "parsing); times are medians of the CPU time of an answer.",
      "transcode_bench");
  app.add_option("--store", settings.store, "Directory of the store")->required();
  app.add_option("--ids", settings.ids, "Ids to ask for, as generate --ids writes them")
      ->required();
  app.add_option("--question", settings.question, "LIMITxLEVELS")->capture_default_str();
  app.add_option("--answers", settings.answers, "Different answers")->capture_default_str();
  app.add_option("--rounds", settings.rounds, "Times over all answers")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = relations::bench::Run(settings);
  if (!status.ok()) std::fprintf(stderr, "transcode_bench: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
