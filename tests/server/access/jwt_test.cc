// Tokens of an identity provider: what is accepted, and that each thing that must be refused is.
#include "server/access/jwt_authenticator.h"

#include <openssl/hmac.h>

#include <fstream>
#include <future>
#include <latch>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/server/access/auth_service.h"
#include "tests/server/access/token_issuer.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

using Code = absl::StatusCode;
using Kind = SigningKey::Kind;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr char kRsHeader[] = R"({"alg":"RS256","typ":"JWT","kid":"r1"})";
constexpr char kEsHeader[] = R"({"alg":"ES256","kid":"e1"})";
constexpr char kClaims[] =
    R"({"iss":"https://id.test","aud":"relations","sub":"u-1","exp":1700003600,)"
    R"("groups":["public","g1"],"roles":["user"]})";

// Making RSA keys takes time.
const SigningKey& Rsa() {
  static const SigningKey key(Kind::kRsa);
  return key;
}
const SigningKey& Ec() {
  static const SigningKey key(Kind::kEc);
  return key;
}

std::string BothKeys() { return KeySet(Rsa().Jwk("r1") + "," + Ec().Jwk("e1")); }

JwtRules Rules() { return {"https://id.test", "relations"}; }

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  std::rename((path + ".new").c_str(), path.c_str());
}

// An authenticator with keys of a file.
struct Judging {
  explicit Judging(const std::string& key_set = BothKeys(), const JwtRules& rules = Rules(),
                   std::chrono::milliseconds pause = std::chrono::hours(1)) {
    WriteText(directory / "keys", key_set);
    JwtKeys::Options options;
    options.file = directory / "keys";
    options.unknown_key_pause = pause;
    authenticator = std::make_unique<JwtAuthenticator>(*JwtKeys::Start(std::move(options)), rules);
  }

  Verdict Judge(absl::string_view token) {
    return AuthenticateAndWait(*authenticator, {token, {}, {}}, now);
  }
  Code CodeOf(absl::string_view token) { return Judge(token).status().code(); }

  TempDir directory;
  absl::Time now = kNow;
  std::unique_ptr<JwtAuthenticator> authenticator;
};

TEST_CASE("a token of either algorithm names its user, groups and roles") {
  Judging judging;
  for (const std::string& token : {Rsa().Sign(kRsHeader, kClaims), Ec().Sign(kEsHeader, kClaims)}) {
    const Verdict verdict = judging.Judge(token);
    INFO(verdict.status().message());
    REQUIRE(verdict.ok());
    CHECK(verdict->user_id == "u-1");
    CHECK(verdict->groups == GroupSet{"g1", "public"});
    CHECK(verdict->roles == std::vector<std::string>{"user"});
  }
}

TEST_CASE("algorithms other than RS256 and ES256 are refused, none above all") {
  Judging judging;
  const std::string good = Rsa().Sign(kRsHeader, kClaims);
  const std::string claims = Base64Url(kClaims);
  for (const char* algorithm : {"none", "None", "NONE", "HS256", "RS384", "RS512", "PS256", "ES384",
                                "ES256K", "EdDSA", "rs256", ""}) {
    CAPTURE(algorithm);
    const std::string header = absl::StrCat(R"({"alg":")", algorithm, R"(","kid":"r1"})");
    CHECK(judging.CodeOf(Rsa().Sign(header, kClaims)) == Code::kUnauthenticated);
    CHECK(judging.CodeOf(absl::StrCat(Base64Url(header), ".", claims, ".AA")) ==
          Code::kUnauthenticated);
  }
  CHECK(judging.CodeOf(Rsa().Sign(R"({"kid":"r1"})", kClaims)) == Code::kUnauthenticated);
  CHECK(judging.CodeOf(Rsa().Sign(R"({"alg":7,"kid":"r1"})", kClaims)) == Code::kUnauthenticated);
  // Without a signature it has not the shape of a token.
  CHECK_FALSE(HasJwtShape(absl::StrCat(Base64Url(R"({"alg":"none"})"), ".", claims, ".")));
}

TEST_CASE("a secret made of a public key signs nothing") {
  Judging judging;
  const std::string text =
      absl::StrCat(Base64Url(R"({"alg":"HS256","kid":"r1"})"), ".", Base64Url(kClaims));
  const std::string secret = Rsa().Jwk("r1");
  unsigned char mac[32];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  CHECK(judging.CodeOf(
            absl::StrCat(text, ".", Base64Url(std::string(reinterpret_cast<char*>(mac), size)))) ==
        Code::kUnauthenticated);
}

TEST_CASE("the algorithm must be the key's, and the key the one that is named") {
  Judging judging;
  CHECK(judging.CodeOf(Rsa().Sign(R"({"alg":"RS256","kid":"e1"})", kClaims)) ==
        Code::kUnauthenticated);
  CHECK(judging.CodeOf(Ec().Sign(R"({"alg":"ES256","kid":"r1"})", kClaims)) ==
        Code::kUnauthenticated);
  CHECK(judging.CodeOf(Ec().Sign(kRsHeader, kClaims)) == Code::kUnauthenticated);
  CHECK(judging.CodeOf(Rsa().Sign(kEsHeader, kClaims)) == Code::kUnauthenticated);
  const SigningKey stranger(Kind::kEc);
  CHECK(judging.CodeOf(stranger.Sign(kEsHeader, kClaims)) == Code::kUnauthenticated);
  CHECK(judging.CodeOf(Rsa().Sign(R"({"alg":"RS256"})", kClaims)) == Code::kUnauthenticated);
  CHECK(judging.CodeOf(Rsa().Sign(R"({"alg":"RS256","kid":""})", kClaims)) ==
        Code::kUnauthenticated);
  CHECK(judging.CodeOf(Rsa().Sign(R"({"alg":"RS256","kid":"R1"})", kClaims)) ==
        Code::kUnauthenticated);
}

TEST_CASE("a changed bit anywhere is refused") {
  Judging judging;
  const std::string token = Ec().Sign(kEsHeader, kClaims);
  REQUIRE(judging.CodeOf(token) == Code::kOk);
  // Of the last character of a part some bits mean nothing.
  for (size_t i = 0; i + 1 < token.size(); i += 3) {
    if (token[i] == '.' || token[i + 1] == '.') continue;
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == token) continue;
    CAPTURE(i);
    CHECK(judging.CodeOf(changed) == Code::kUnauthenticated);
  }
  const std::string swapped = Ec().Sign(kEsHeader, absl::StrReplaceAll(kClaims, {{"u-1", "u-2"}}));
  CHECK(judging.CodeOf(token.substr(0, token.rfind('.')) + swapped.substr(swapped.rfind('.'))) ==
        Code::kUnauthenticated);
  CHECK(judging.CodeOf(token + "AA") == Code::kUnauthenticated);
  CHECK(judging.CodeOf(token.substr(0, token.size() - 2)) == Code::kUnauthenticated);
}

TEST_CASE("header extensions that are critical, and tokens of another kind, are refused") {
  Judging judging;
  const auto with = [&](const std::string& more) {
    return judging.CodeOf(Ec().Sign(R"({"alg":"ES256","kid":"e1",)" + more + "}", kClaims));
  };
  CHECK(with(R"("crit":["b64"],"b64":false)") == Code::kUnauthenticated);
  CHECK(with(R"("crit":[])") == Code::kUnauthenticated);
  CHECK(with(R"("typ":"logout+jwt")") == Code::kUnauthenticated);
  CHECK(with(R"("typ":"dpop+jwt")") == Code::kUnauthenticated);
  CHECK(with(R"("typ":["JWT"])") == Code::kUnauthenticated);
  CHECK(with(R"("typ":"at+JWT")") == Code::kOk);
  CHECK(with(R"("typ":"jwt","jku":"https://evil.test/keys","x5u":"https://evil.test")") ==
        Code::kOk);
}

TEST_CASE("what is no token is refused") {
  Judging judging;
  const std::string good = Ec().Sign(kEsHeader, kClaims);
  for (const std::string& token :
       {std::string("a.b.c"), std::string("...."), "." + good, good + ".", good + ".x", good + "=",
        Base64Url("[]") + "." + Base64Url(kClaims) + ".AA",
        Base64Url("{") + "." + Base64Url(kClaims) + ".AA", std::string("A.A.A")}) {
    CAPTURE(token);
    CHECK(judging.CodeOf(token) == Code::kUnauthenticated);
  }
  for (const char* claims : {"", "[]", "null", "{", "\"\""}) {
    CAPTURE(claims);
    CHECK(judging.CodeOf(Ec().Sign(kEsHeader, std::string(claims) + " ")) ==
          Code::kUnauthenticated);
  }
  CHECK(judging.CodeOf(good + std::string(8192, 'A')) == Code::kUnauthenticated);
}

TEST_CASE("issuer, audience, times and user are each needed and each judged") {
  struct Row {
    std::string from;
    std::string to;
    Code code;
  };
  const std::string exp = "\"exp\":1700003600";
  const std::vector<Row> rows = {
      {"https://id.test", "https://id.test/", Code::kUnauthenticated},
      {"https://id.test", "https://other.test", Code::kUnauthenticated},
      {"\"iss\":\"https://id.test\",", "", Code::kUnauthenticated},
      {"\"iss\":\"https://id.test\"", "\"iss\":[\"https://id.test\"]", Code::kUnauthenticated},
      {"\"relations\"", "\"others\"", Code::kUnauthenticated},
      {"\"relations\"", "[\"others\",\"relations\"]", Code::kOk},
      {"\"relations\"", "[\"others\"]", Code::kUnauthenticated},
      {"\"relations\"", "[]", Code::kUnauthenticated},
      {"\"relations\"", "{\"relations\":1}", Code::kUnauthenticated},
      {"\"aud\":\"relations\",", "", Code::kUnauthenticated},
      {exp + ",", "", Code::kUnauthenticated},
      {exp, "\"exp\":\"1700003600\"", Code::kUnauthenticated},
      {exp, "\"exp\":null", Code::kUnauthenticated},
      // A leeway of 30 seconds.
      {exp, "\"exp\":1699999971", Code::kOk},
      {exp, "\"exp\":1699999970", Code::kUnauthenticated},
      {exp, exp + ",\"nbf\":1700000030", Code::kOk},
      {exp, exp + ",\"nbf\":1700000031", Code::kUnauthenticated},
      {exp, exp + ",\"nbf\":\"x\"", Code::kUnauthenticated},
      {exp, "\"exp\":1700003600.5,\"nbf\":1699999999.5", Code::kOk},
      {"\"sub\":\"u-1\",", "", Code::kUnauthenticated},
      {"u-1", "", Code::kUnauthenticated},
      {"u-1", "u 1", Code::kUnauthenticated},
      {"u-1", std::string(128, 'u'), Code::kOk},
      {"u-1", std::string(129, 'u'), Code::kUnauthenticated},
      {"[\"public\",\"g1\"]", "{\"a\":1}", Code::kUnauthenticated},
      {"[\"public\",\"g1\"]", "[1]", Code::kUnauthenticated},
      {"[\"user\"]", "7", Code::kUnauthenticated},
  };
  Judging judging;
  for (const Row& row : rows) {
    CAPTURE(row.from, row.to);
    const std::string claims = absl::StrReplaceAll(kClaims, {{row.from, row.to}});
    REQUIRE(claims != kClaims);
    CHECK(judging.CodeOf(Ec().Sign(kEsHeader, claims)) == row.code);
  }
}

TEST_CASE("groups and roles are under the claims of the settings, alone or in a list, or absent") {
  JwtRules rules = Rules();
  rules.group_claim = "https://id.test/groups";
  rules.role_claim = "app_roles";
  Judging judging(BothKeys(), rules);
  const auto judge = [&](const std::string& more) {
    return judging.Judge(Ec().Sign(
        kEsHeader,
        R"({"iss":"https://id.test","aud":"relations","sub":"u","exp":1700003600)" + more + "}"));
  };
  Verdict verdict =
      judge(R"(,"https://id.test/groups":"g1","app_roles":["user"],"roles":["admin"])");
  REQUIRE(verdict.ok());
  CHECK(verdict->groups == GroupSet{"g1"});
  CHECK(verdict->roles == std::vector<std::string>{"user"});
  verdict = judge(R"(,"https://id.test/groups":null)");
  REQUIRE(verdict.ok());
  CHECK(verdict->groups.empty());
  CHECK(verdict->roles.empty());
  std::string many = "\"g0\"";
  for (int i = 1; i < 1024; ++i) absl::StrAppend(&many, ",\"g", i, "\"");
  // So many would not fit into a token; the rule is the same for all claims.
  const std::string claims =
      R"({"iss":"https://id.test","aud":"relations","sub":"u","exp":1700003600,"app_roles":[],)"
      R"("https://id.test/groups":[)";
  CHECK(JudgeClaims(rules, claims + many + "]}", kNow).ok());
  CHECK_FALSE(JudgeClaims(rules, claims + many + ",\"one more\"]}", kNow).ok());
}

TEST_CASE("keys of no use are left out of a set, and a set without others is refused") {
  static const SigningKey small(Kind::kRsa, 1024);
  const auto size_of = [](const std::string& key) -> size_t {
    const auto set = JwkSet::Parse(KeySet(Ec().Jwk("good") + "," + key));
    return set.ok() ? set->size() : 0;
  };
  CHECK(size_of(Rsa().Jwk("r")) == 2);
  CHECK(size_of(Rsa().Jwk("r", R"(,"use":"sig","alg":"RS256","key_ops":["verify"])")) == 2);
  for (const std::string& key :
       {small.Jwk("r"), Rsa().Jwk(""), Rsa().Jwk("r", R"(,"use":"enc")"),
        Rsa().Jwk("r", R"(,"alg":"RS512")"), Rsa().Jwk("r", R"(,"alg":"ES256")"),
        Rsa().Jwk("r", R"(,"key_ops":["encrypt"])"), Ec().Jwk("e", R"(,"alg":"RS256")"),
        std::string(R"({"kid":"o","kty":"oct","k":"c2VjcmV0"})"),
        std::string(R"({"kid":"p","kty":"EC","crv":"P-384","x":"AA","y":"AA"})"),
        std::string(R"({"kid":"r","kty":"RSA","n":"!","e":"AQAB"})"),
        std::string(R"({"kid":"r","kty":"RSA","e":"AQAB"})"), std::string("{}"),
        absl::StrCat(R"({"kid":"e","kty":"EC","crv":"P-256","x":")",
                     Base64Url(std::string(32, '\x01')), R"(","y":")",
                     Base64Url(std::string(32, '\x01')), R"("})")}) {
    CAPTURE(key);
    CHECK(size_of(key) == 1);
    CHECK_FALSE(JwkSet::Parse(KeySet(key)).ok());
  }
  for (const std::string& text :
       {std::string(""), std::string("[]"), std::string("{}"), KeySet(""), KeySet("7"),
        std::string(R"({"keys":{}})"), KeySet(Ec().Jwk("e") + std::string(256 << 10, ' '))}) {
    CHECK_FALSE(JwkSet::Parse(text).ok());
  }
  std::string many = Ec().Jwk("e");
  for (int i = 1; i < 256; ++i) many += ",{}";
  CHECK(JwkSet::Parse(KeySet(many)).ok());
  CHECK_FALSE(JwkSet::Parse(KeySet(many + ",{}")).ok());
}

TEST_CASE("a file of keys must be good at the start, and counts anew when it changes") {
  const TempDir directory;
  JwtKeys::Options missing;
  missing.file = directory / "none";
  CHECK(JwtKeys::Start(std::move(missing)).status().code() == Code::kFailedPrecondition);

  Judging judging(KeySet(Rsa().Jwk("r1")), Rules(), std::chrono::milliseconds(0));
  const std::string token = Ec().Sign(kEsHeader, kClaims);
  CHECK(judging.CodeOf(token) == Code::kUnauthenticated);
  CHECK(judging.CodeOf(Rsa().Sign(kRsHeader, kClaims)) == Code::kOk);
  // A key that is not there makes the file be looked at.
  WriteText(judging.directory / "keys", KeySet(Ec().Jwk("e1")));
  CHECK(judging.CodeOf(token) == Code::kOk);
  CHECK(judging.CodeOf(Rsa().Sign(kRsHeader, kClaims)) == Code::kUnauthenticated);
  // A bad file changes nothing.
  WriteText(judging.directory / "keys", "no keys");
  CHECK(judging.CodeOf(Rsa().Sign(kRsHeader, kClaims)) == Code::kUnauthenticated);
  CHECK(judging.CodeOf(token) == Code::kOk);
}

TEST_CASE("a reload takes a key away that was withdrawn") {
  Judging judging;
  const std::string token = Ec().Sign(kEsHeader, kClaims);
  CHECK(judging.CodeOf(token) == Code::kOk);
  WriteText(judging.directory / "keys", KeySet(Rsa().Jwk("r1")));
  judging.authenticator->keys().Reload();
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (judging.CodeOf(token) == Code::kOk && std::chrono::steady_clock::now() < patience) {
  }
  CHECK(judging.CodeOf(token) == Code::kUnauthenticated);
}

// Keys of a service that the test plays.
struct Fetching {
  explicit Fetching(std::chrono::milliseconds pause,
                    std::chrono::milliseconds kept_max = std::chrono::hours(24))
      : service([this](const AuthService::Request&) {
          AuthService::Reply reply;
          reply.status = status;
          reply.body = keys;
          return reply;
        }) {
    JwtKeys::Options options;
    HttpClient::Options http;
    http.url = *ParseHttpUrl(service.url());
    // However busy the machine is.
    http.timeout = std::chrono::seconds(30);
    options.service = *HttpClient::Start(http);
    options.target = "/keys";
    options.refresh = std::chrono::hours(1);
    options.unknown_key_pause = pause;
    options.kept_max = kept_max;
    service.Hold();
    authenticator =
        std::make_unique<JwtAuthenticator>(*JwtKeys::Start(std::move(options)), Rules());
  }
  Code CodeOf(absl::string_view token) {
    return AuthenticateAndWait(*authenticator, {token, {}, {}}, kNow).status().code();
  }

  std::atomic<unsigned> status = 200;
  std::string keys;
  AuthService service;
  std::unique_ptr<JwtAuthenticator> authenticator;
};

TEST_CASE("keys of a URL are fetched at the start, and again for a key that is not there") {
  Fetching fetching(std::chrono::milliseconds(0));
  fetching.keys = KeySet(Rsa().Jwk("r1"));
  // The first token waits for the first keys.
  std::future<Code> first = std::async(
      std::launch::async, [&] { return fetching.CodeOf(Rsa().Sign(kRsHeader, kClaims)); });
  fetching.service.WaitForRequests(1);
  fetching.service.Release();
  CHECK(first.get() == Code::kOk);
  CHECK(fetching.service.seen()[0].target == "/keys");
  fetching.service.Hold();
  fetching.keys = BothKeys();
  fetching.service.Release();
  CHECK(fetching.CodeOf(Ec().Sign(kEsHeader, kClaims)) == Code::kOk);
  const int asked = fetching.service.requests();
  CHECK(fetching.CodeOf(Rsa().Sign(kRsHeader, kClaims)) == Code::kOk);
  CHECK(fetching.service.requests() == asked);
  // Keys stay while the service fails.
  fetching.status = 500;
  CHECK(fetching.CodeOf(Ec().Sign(R"({"alg":"ES256","kid":"e9"})", kClaims)) ==
        Code::kUnauthenticated);
  CHECK(fetching.CodeOf(Ec().Sign(kEsHeader, kClaims)) == Code::kOk);
}

TEST_CASE("strangers who name keys make the service be asked no more than once in a while") {
  Fetching fetching(std::chrono::hours(1));
  fetching.keys = KeySet(Rsa().Jwk("r1"));
  fetching.service.Release();
  const std::string unknown = Ec().Sign(kEsHeader, kClaims);
  CHECK(fetching.CodeOf(unknown) == Code::kUnauthenticated);
  const int asked = fetching.service.requests();
  CHECK(asked <= 2);
  for (int i = 0; i < 100; ++i) CHECK(fetching.CodeOf(unknown) == Code::kUnauthenticated);
  CHECK(fetching.service.requests() <= 2);
}

TEST_CASE("keys of a URL that nobody has confirmed for too long count no more") {
  CHECK(JwtKeys::Options().kept_max == std::chrono::hours(24));
  Fetching fetching(std::chrono::hours(1), std::chrono::milliseconds(0));
  fetching.keys = BothKeys();
  fetching.service.Release();
  CHECK(fetching.CodeOf(Ec().Sign(kEsHeader, kClaims)) == Code::kUnavailable);
}

TEST_CASE("so many calls wait for keys, and one more is told that nobody can tell") {
  Fetching fetching(std::chrono::hours(1));
  fetching.keys = BothKeys();
  const std::string token = Ec().Sign(kEsHeader, kClaims);
  std::atomic<size_t> accepted = 0;
  std::latch judged(JwtKeys::kWaitingMax);
  const auto begin = [&] {
    return fetching.authenticator->Authenticate({token, {}, {}}, kNow, [&](const Verdict& verdict) {
      accepted += verdict.ok() ? 1 : 0;
      judged.count_down();
    });
  };
  for (size_t i = 0; i < JwtKeys::kWaitingMax; ++i) CHECK_FALSE(begin().has_value());
  const std::optional<Verdict> refused = begin();
  REQUIRE(refused.has_value());
  CHECK(refused->status().code() == Code::kUnavailable);
  fetching.service.Release();
  judged.wait();
  CHECK(accepted == JwtKeys::kWaitingMax);
}

TEST_CASE("as long as there are no keys nobody can tell") {
  Fetching fetching(std::chrono::hours(1));
  fetching.keys = "none";
  fetching.service.Release();
  CHECK(fetching.CodeOf(Ec().Sign(kEsHeader, kClaims)) == Code::kUnavailable);
  CHECK(fetching.CodeOf(Ec().Sign(kEsHeader, kClaims)) == Code::kUnavailable);
  CHECK(fetching.CodeOf("a.b.c") == Code::kUnauthenticated);
}

}  // namespace
}  // namespace relations
