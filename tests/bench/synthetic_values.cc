#include "tests/bench/synthetic_values.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "tests/bench/draw.h"

namespace relations::bench {
namespace {

constexpr std::array<absl::string_view, 6> kGeneralTypes = {"malware-family", "asn",  "group",
                                                            "attack-pattern", "tool", "threat"};

struct WeightedType {
  absl::string_view name;
  // Of 256.
  uint32_t weight;
};
constexpr std::array<WeightedType, 10> kIndicatorTypes = {{{"ip", 64},
                                                           {"domain", 56},
                                                           {"url", 40},
                                                           {"sha256", 40},
                                                           {"hostname", 24},
                                                           {"md5", 10},
                                                           {"filename", 8},
                                                           {"email-address", 6},
                                                           {"cve", 4},
                                                           {"mutex", 4}}};

constexpr std::array<absl::string_view, 16> kTags = {
    "c2",  "botnet",  "phishing", "ransomware", "stealer", "loader",
    "dns", "tor",     "scanning", "bruteforce", "spam",    "malvertising",
    "apt", "exploit", "rat",      "cryptominer"};
constexpr std::array<absl::string_view, 8> kCountries = {"us", "de", "nl", "fr",
                                                         "cn", "ru", "br", "in"};
constexpr std::array<absl::string_view, 8> kTopLevels = {"com", "net", "org", "info",
                                                         "top", "xyz", "ru",  "io"};
constexpr std::array<absl::string_view, 4> kSuffixes = {"exe", "dll", "doc", "js"};

// Scatters numbers; no two give the same.
uint32_t Scramble(uint32_t number) {
  number *= 0x9E3779B1;
  number ^= number >> 15;
  return number * 0x85EBCA6B;
}

// Six syllables of 6 bits, the last of 2: tells all numbers apart.
std::string Word(uint32_t number) {
  constexpr absl::string_view kConsonants = "bcdfgklmnprstvwz";
  constexpr absl::string_view kVowels = "aeio";
  std::string word;
  for (int i = 0; i < 6; ++i) {
    word += kConsonants[number >> 2 & 15];
    word += kVowels[number & 3];
    number >>= 6;
  }
  return word;
}

std::string HexDigits(uint32_t number, int words) {
  std::string text;
  for (int i = 0; i < words; ++i) {
    absl::StrAppend(&text, absl::Hex(Mix(number + (uint64_t{1} << 32) * i), absl::kZeroPad16));
  }
  return text;
}

// Of 16.0.0.0 to 79.255.255.255, where nothing is reserved; past 2^30 addresses they repeat.
std::string Ipv4(uint32_t number) {
  const uint32_t address = 0x10000000 + (Scramble(number) & 0x3FFFFFFF);
  return absl::StrCat(address >> 24, ".", address >> 16 & 255, ".", address >> 8 & 255, ".",
                      address & 255);
}

std::string Domain(uint32_t number) {
  const uint32_t scrambled = Scramble(number);
  return absl::StrCat(Word(scrambled), ".", kTopLevels[scrambled % kTopLevels.size()]);
}

void SetText(relations::v1::Entity& entity, const char* key, absl::string_view text) {
  (*entity.mutable_attributes())[key].set_string_value(std::string(text));
}

void SetNumber(relations::v1::Entity& entity, const char* key, uint64_t number) {
  (*entity.mutable_attributes())[key].set_number_value(static_cast<double>(number));
}

void FillAttributes(Draw& draw, relations::v1::Entity& entity) {
  const absl::string_view type = entity.type();
  if (type == "ip") {
    SetNumber(entity, "asn", 1000 + draw.Below(60000));
    SetText(entity, "country", kCountries[draw.Below(kCountries.size())]);
    (*entity.mutable_attributes())["anonymizer"].set_bool_value(draw.Chance(0.1));
  } else if (type == "domain" || type == "hostname" || type == "url") {
    SetText(entity, "registrar", Word(static_cast<uint32_t>(draw.Below(500))));
    SetNumber(entity, "rank", draw.Below(1'000'000));
  } else if (type == "sha256" || type == "md5") {
    SetNumber(entity, "size-in-bytes", draw.Below(10'000'000));
    SetText(entity, "filename", absl::StrCat(Word(static_cast<uint32_t>(draw.Next())), ".exe"));
  } else if (draw.Chance(0.5)) {
    SetText(entity, "description",
            "seen by a sensor of the project; confirmed by hand, no further comment");
  }
}

}  // namespace

absl::string_view SyntheticType(EntityRole role, uint64_t draw) {
  if (role == EntityRole::kHub) return "country";
  if (role == EntityRole::kGeneral) return kGeneralTypes[draw % kGeneralTypes.size()];
  uint32_t place = draw & 255;
  for (const WeightedType& type : kIndicatorTypes) {
    if (place < type.weight) return type.name;
    place -= type.weight;
  }
  return kIndicatorTypes.back().name;
}

std::string SyntheticValue(absl::string_view type, uint32_t number) {
  if (type == "country") {
    return {static_cast<char>('a' + number / 26 % 26), static_cast<char>('a' + number % 26)};
  }
  if (type == "ip") return Ipv4(number);
  if (type == "domain") return Domain(number);
  if (type == "hostname") return absl::StrCat("www", number % 10, ".", Domain(number));
  if (type == "url") {
    return absl::StrCat("http://", Domain(number), "/", Word(Scramble(~number)), "/login.php");
  }
  if (type == "sha256") return HexDigits(number, 4);
  if (type == "md5") return HexDigits(number, 2);
  if (type == "asn") return absl::StrCat(number);
  if (type == "cve") return absl::StrCat("cve-2024-", 1000 + uint64_t{number});
  if (type == "attack-pattern") return absl::StrCat("T", 1000 + uint64_t{number});
  if (type == "filename") {
    return absl::StrCat(Word(Scramble(number)), ".", kSuffixes[number % kSuffixes.size()]);
  }
  if (type == "email-address") return absl::StrCat("info@", Domain(number));
  return Word(Scramble(number));
}

void FillSyntheticFields(uint64_t draw_seed, const std::string& value,
                         relations::v1::Entity& entity) {
  Draw draw(draw_seed, 0, 0);
  SetText(entity, entity.type().c_str(), value);
  FillAttributes(draw, entity);
  const auto worst = static_cast<int32_t>(draw.Below(4)) - 3;
  const auto best = worst + static_cast<int32_t>(draw.Below(static_cast<uint64_t>(4 - worst)));
  entity.set_worst_reputation(worst);
  entity.set_best_reputation(best);
  entity.set_reputation(worst +
                        static_cast<int32_t>(draw.Below(static_cast<uint64_t>(best - worst) + 1)));
  entity.set_accuracy(static_cast<int32_t>(draw.Below(4)));
  // Neighbours in the table, so that none comes twice.
  const uint64_t first = draw.Below(kTags.size());
  const uint64_t count = draw.Below(4);
  for (uint64_t i = 0; i < count; ++i) {
    const absl::string_view tag = kTags[(first + i) % kTags.size()];
    entity.add_tags(tag.data(), tag.size());
  }
}

absl::string_view SyntheticRelationType(absl::string_view target_type, uint64_t draw) {
  if (target_type == "country") return "located-in";
  if (target_type == "asn") return "belongs-to";
  if (target_type == "malware-family") return draw % 4 == 0 ? "delivers" : "indicates";
  if (target_type == "group" || target_type == "threat") return "attributed-to";
  if (target_type == "attack-pattern" || target_type == "tool") return "uses";
  if (target_type == "ip") return draw % 2 == 0 ? "resolves-to" : "communicates-with";
  if (target_type == "domain" || target_type == "hostname") return "hosted-on";
  if (target_type == "filename") return "has-name";
  return "related-to";
}

}  // namespace relations::bench
