// The spliced answer against the one that the generated classes serialise.
#include "server/answer.h"

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "relations/v1/relations.pb.h"
#include "storage/base/limits.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

std::string Serialised(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

std::string Bytes(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  REQUIRE(buffer.TrySingleSlice(&slice).ok());
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

// The same answer twice: as the walk returns it and as a message.
struct Pair {
  ExpandedGraph graph;
  v1::GetRelationsResponse message;

  void AddNode(const v1::Entity& entity) {
    const auto wire = std::make_shared<const std::string>(Serialised(entity));
    // The three parts may be cut anywhere behind the id, and be empty.
    const size_t id = std::min(wire->size(), entity.id().size() + 3);
    const size_t first = id + (wire->size() - id) * (cut_++ % 3) / 2;
    const size_t second = first + (wire->size() - first) / 2;
    const absl::string_view all = *wire;
    graph.nodes.push_back(
        {all.substr(0, first), all.substr(first, second - first), all.substr(second), 0, wire});
    *message.add_nodes() = entity;
  }
  void AddRelation(size_t source, size_t target, const std::string& type, RelationMode mode,
                   int64_t seconds, int32_t nanos) {
    graph.relations.push_back({source, target, texts_.emplace_back(type), mode,
                               absl::FromUnixSeconds(seconds) + absl::Nanoseconds(nanos)});
    v1::Relation* relation = message.add_relations();
    relation->set_source(message.nodes(static_cast<int>(source)).id());
    relation->set_target(message.nodes(static_cast<int>(target)).id());
    relation->set_type(type);
    relation->set_mode(std::string(RelationModeName(mode)));
    relation->mutable_last_seen()->set_seconds(seconds);
    relation->mutable_last_seen()->set_nanos(nanos);
  }
  void SetStopped(bool by_limit) {
    graph.stopped_by_limit = by_limit;
    message.set_stop_reason(by_limit ? v1::STOP_REASON_LIMIT : v1::STOP_REASON_COMPLETE);
  }

 private:
  size_t cut_ = 0;
  // Keep their place.
  std::deque<std::string> texts_;
};

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  int64_t Between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  std::string Text(int64_t size) { return std::string(static_cast<size_t>(size), 'x'); }

  Pair Answer() {
    Pair pair;
    const int64_t nodes = Between(1, 12);
    for (int64_t i = 0; i < nodes; ++i) {
      pair.AddNode(Entity());
    }
    const int64_t relations = Between(0, 20);
    for (int64_t i = 0; i < relations; ++i) {
      pair.AddRelation(static_cast<size_t>(Between(0, nodes - 1)),
                       static_cast<size_t>(Between(0, nodes - 1)),
                       Text(Between(0, 3) == 0 ? Between(0, 300) : Between(0, 12)),
                       Between(0, 1) == 0 ? RelationMode::kAssociation : RelationMode::kAggregation,
                       Seconds(), Nanos());
    }
    pair.SetStopped(Between(0, 1) == 1);
    return pair;
  }

 private:
  // The whole range of timestamps, its ends and the zeros that proto3 leaves out.
  int64_t Seconds() {
    switch (Between(0, 4)) {
      case 0:
        return 0;
      case 1:
        return -62135596800;
      case 2:
        return 253402300799;
      case 3:
        return Between(-5, 5);
      default:
        return Between(-62135596800, 253402300799);
    }
  }
  int32_t Nanos() { return static_cast<int32_t>(Between(0, 2) == 0 ? 0 : Between(0, 999999999)); }

  v1::Entity Entity() {
    v1::Entity entity;
    entity.set_id("t-" + Text(Between(1, 126)));
    entity.set_type(Text(Between(0, 20)));
    entity.mutable_timestamp()->set_seconds(Seconds());
    entity.set_reputation(static_cast<int32_t>(Between(-5, 5)));
    entity.set_accuracy(static_cast<int32_t>(Between(0, 3)));
    entity.mutable_last_seen()->set_nanos(Nanos());
    entity.add_tags(Text(Between(0, 20)));
    entity.add_visible_by("public");
    (*entity.mutable_attributes())["a"].set_string_value(Text(Between(0, 20000)));
    (*entity.mutable_attributes())["b"].set_number_value(1.5);
    return entity;
  }

  std::mt19937_64 random_;
};

TEST_CASE("the spliced answer is byte for byte the serialised message") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    const Pair pair = Generator(seed).Answer();
    const auto answer = AssembleAnswer(pair.graph);
    REQUIRE(answer.ok());
    // Not compared inside the macro: a failure would print kilobytes.
    const bool equal = Bytes(*answer) == Serialised(pair.message);
    REQUIRE(equal);
  }
}

TEST_CASE("ids of 127 and 128 bytes cross the border of the one-byte length") {
  for (const size_t size : {3, 127, 128}) {
    CAPTURE(size);
    Pair pair;
    v1::Entity entity;
    entity.set_id("t-" + std::string(size - 2, 'x'));
    entity.set_type("t");
    pair.AddNode(entity);
    pair.AddRelation(0, 0, "", RelationMode::kAssociation, 0, 0);
    pair.SetStopped(false);
    const auto answer = AssembleAnswer(pair.graph);
    REQUIRE(answer.ok());
    CHECK(Bytes(*answer) == Serialised(pair.message));
  }
}

TEST_CASE("bytes that do not start with an id are data loss") {
  for (const std::string& wire : {std::string(), std::string("\x0A"), std::string("\x0A\x05"),
                                  std::string("\x0A\x00\x12", 3), std::string("\x12\x01x"),
                                  std::string("\x0A\x05"
                                              "ab-c"),
                                  std::string("\x0A\xFF\x7F"
                                              "a"),
                                  std::string("\x0A\x80\x80\x01"
                                              "a",
                                              5)}) {
    ExpandedGraph graph;
    graph.nodes.push_back({wire, {}, {}, 0, nullptr});
    CHECK(AssembleAnswer(graph).status().code() == absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("an answer at the size limit passes, one byte more is refused whole") {
  v1::Entity entity;
  entity.set_id("t-x");
  const std::string head = Serialised(entity);
  // Tag and four bytes of length for the node, two bytes for the stop reason.
  constexpr size_t kOverhead = 1 + 4 + 2;
  ExpandedGraph graph;
  std::string rest(limits::kAnswerBytesMax - kOverhead - head.size(), '\0');
  graph.nodes.push_back({head, {}, rest, 0, nullptr});
  const auto largest = AssembleAnswer(graph);
  REQUIRE(largest.ok());
  CHECK(largest->Length() == static_cast<size_t>(limits::kAnswerBytesMax));
  rest.push_back('\0');
  graph.nodes[0].tail = rest;
  CHECK(AssembleAnswer(graph).status().code() == absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace relations
