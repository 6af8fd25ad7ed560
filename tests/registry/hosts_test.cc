// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/client.h"
#include "builder/registry/hosts/host_table.h"
#include "builder/registry/hosts/registries_conf.h"
#include "builder/registry/push.h"
#include "snapshotter/base/file.h"
#include "tests/registry/fake_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kManifest[] =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";

constexpr char kConf[] = R"(
unqualified-search-registries = ["first.example", "second.example:5000"]
short-name-mode = "permissive"
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "mirror.example/hub/"
[[registry.mirror]]
location = "localhost:5001"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "docker.io/library/special"
location = "elsewhere.example/only"
[[registry]]
location = "evil.example"
blocked = true
[[registry]]
prefix = "*.corp.example"
insecure = true
[aliases]
"fedora" = "registry.example/fedora"
)";

oci::Reference reference(std::string_view text) {
  return oci::Reference::parse(text).value();
}

class Hosts : public testing::Test {
 protected:
  Hosts() : dir_(TempDir::create().value()) {
    places_.confs = {dir_.path() + "/missing.conf", dir_.path() + "/registries.conf"};
    places_.conf_folders = {dir_.path() + "/registries.conf.d"};
    places_.certificates = {dir_.path() + "/certs.d"};
  }
  void write(const std::string& name, std::string_view text) {
    const std::string path = dir_.path() + "/" + name;
    ASSERT_TRUE(make_dirs(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(write_file(path, text));
  }
  std::vector<std::string> places(const std::string& name, Purpose purpose) {
    std::vector<std::string> list;
    const auto found = make_host_table(places_)->endpoints(reference(name), purpose);
    EXPECT_TRUE(found) << found.error().message();
    for (const Endpoint& endpoint : found.value()) {
      list.push_back(endpoint.api() + (endpoint.mirror ? " mirror" : "") +
                     (endpoint.insecure ? " insecure" : ""));
    }
    return list;
  }
  std::vector<std::string> meanings(const std::string& name) {
    std::vector<std::string> list;
    const auto found = make_host_table(places_)->full_names(reference(name));
    EXPECT_TRUE(found) << found.error().message();
    for (const oci::Reference& full : found.value()) {
      list.push_back(full.str());
    }
    return list;
  }

  TempDir dir_;
  HostPlaces places_;
};

TEST_F(Hosts, TheAliasesOfAPackageAreNobodysDecision) {
  write("registries.conf.d/shortnames.conf", "[aliases]\n\"fedora\" = \"packaged.example/fedora\"");
  EXPECT_EQ(meanings("fedora"), std::vector<std::string>{"docker.io/library/fedora:latest"});
  write("registries.conf.d/mine.conf", "[aliases]\n\"fedora\" = \"mine.example/fedora\"");
  EXPECT_EQ(meanings("fedora"), std::vector<std::string>{"mine.example/fedora:latest"});
}

TEST_F(Hosts, WithoutFilesEverythingIsAsDockerHasIt) {
  EXPECT_THAT(places("busybox", Purpose::PullByTag),
              ElementsAre("https://registry-1.docker.io/v2/library/busybox"));
  EXPECT_THAT(places("127.0.0.1:5000/a", Purpose::Push), ElementsAre("http://127.0.0.1:5000/v2/a"));
  EXPECT_THAT(meanings("busybox"), ElementsAre("docker.io/library/busybox:latest"));
}

TEST_F(Hosts, MirrorsComeFirstButNotForAPush) {
  write("registries.conf", kConf);
  EXPECT_THAT(places("busybox", Purpose::PullByTag),
              ElementsAre("https://mirror.example/v2/hub/library/busybox mirror",
                          "https://registry-1.docker.io/v2/library/busybox"));
  EXPECT_THAT(places("busybox", Purpose::PullByDigest),
              ElementsAre("https://mirror.example/v2/hub/library/busybox mirror",
                          "http://localhost:5001/v2/library/busybox mirror",
                          "https://registry-1.docker.io/v2/library/busybox"));
  EXPECT_THAT(places("busybox", Purpose::Push),
              ElementsAre("https://registry-1.docker.io/v2/library/busybox"));
}

TEST_F(Hosts, TheLongestPrefixCountsAndEndsWhereAPartDoes) {
  write("registries.conf", kConf);
  EXPECT_THAT(places("special", Purpose::PullByTag),
              ElementsAre("https://elsewhere.example/v2/only"));
  EXPECT_THAT(places("specials", Purpose::Push),
              ElementsAre("https://registry-1.docker.io/v2/library/specials"));
  EXPECT_THAT(places("a.b.corp.example:5000/x", Purpose::Push),
              ElementsAre("https://a.b.corp.example:5000/v2/x"));
  EXPECT_THAT(places("a.corp.example/x", Purpose::Push),
              ElementsAre("https://a.corp.example/v2/x insecure"));
  EXPECT_THAT(places("corp.example/x", Purpose::Push), ElementsAre("https://corp.example/v2/x"));
}

TEST_F(Hosts, ABlockedRegistryIsNamedWithTheFile) {
  write("registries.conf", kConf);
  const auto found =
      make_host_table(places_)->endpoints(reference("evil.example/a"), Purpose::PullByTag);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind(), ErrorKind::Denied);
  EXPECT_THAT(found.error().message(), HasSubstr("registries.conf says so of evil.example"));
}

TEST_F(Hosts, NamesWithoutARegistryAreLookedForInOrder) {
  write("registries.conf", kConf);
  EXPECT_THAT(meanings("app:1"), ElementsAre("first.example/app:1", "second.example:5000/app:1"));
  EXPECT_THAT(meanings("team/app"),
              ElementsAre("first.example/team/app:latest", "second.example:5000/team/app:latest"));
  EXPECT_THAT(meanings("fedora:9"), ElementsAre("registry.example/fedora:9"));
  EXPECT_THAT(meanings("docker.io/library/app:1"), ElementsAre("docker.io/library/app:1"));
  write("registries.conf.d/0.conf", "short-name-mode = \"enforcing\"\n");
  EXPECT_FALSE(make_host_table(places_)->full_names(reference("app")));
  EXPECT_TRUE(make_host_table(places_)->full_names(reference("fedora")));
}

TEST_F(Hosts, LaterFilesReplaceRulesOfTheSamePrefix) {
  write("registries.conf", kConf);
  write("registries.conf.d/1.conf",
        "unqualified-search-registries=[]\n[[registry]]\nlocation=\"docker.io\"\n"
        "[[registry]]\nlocation=\"evil.example\"\n");
  EXPECT_THAT(places("busybox", Purpose::PullByTag),
              ElementsAre("https://registry-1.docker.io/v2/library/busybox"));
  EXPECT_THAT(places("evil.example/a", Purpose::Push), ElementsAre("https://evil.example/v2/a"));
  EXPECT_THAT(meanings("app"), ElementsAre("docker.io/library/app:latest"));
}

TEST_F(Hosts, ABrokenFileIsNamedWithItsLine) {
  for (const char* text :
       {"\n[[registry]\n", "\n[[registry]]\nblocked = 1\nlocation='a'",
        "\n[[registry]]\nblocked=true", "\n[[registry]]\nlocation='https://x'",
        "[registries.search]\nregistries=[]", "short-name-mode='maybe'", "[,registry]",
        "\xCA\x93=1", "unqualified-search-registries=['a', '']", "[aliases]\na=1"}) {
    const auto conf = parse_registries_conf(text, "/x/registries.conf");
    ASSERT_FALSE(conf) << text;
    EXPECT_THAT(conf.error().message(), HasSubstr("/x/registries.conf"));
  }
}

TEST_F(Hosts, CommentsMayBeInAnyLanguage) {
  const auto conf = parse_registries_conf(
      "\xEF\xBB\xBF# Spiegel f\xC3\xBCr \xE6\x97\xA5\n[[registry]]\nlocation='a.example'", "x");
  ASSERT_TRUE(conf);
  EXPECT_NE(conf->find("a.example/b"), nullptr);
}

TEST_F(Hosts, CertificatesAreThoseOfTheHostsFolder) {
  write("certs.d/reg.example:5000/ca.crt", "x");
  write("certs.d/reg.example:5000/me.cert", "x");
  write("certs.d/reg.example:5000/me.key", "x");
  write("certs.d/localhost:5000/ca.crt", "x");
  write("certs.d/half.example/me.cert", "x");
  const auto table = make_host_table(places_);
  const auto found = table->endpoints(reference("reg.example:5000/a"), Purpose::Push).value();
  const std::string folder = dir_.path() + "/certs.d/reg.example:5000/";
  EXPECT_EQ(*found[0].tls,
            (TlsSettings{{folder + "ca.crt"}, folder + "me.cert", folder + "me.key", true}));
  EXPECT_EQ(table->endpoints(reference("other.example/a"), Purpose::Push).value()[0].tls, nullptr);
  EXPECT_EQ(table->endpoints(reference("localhost:5000/a"), Purpose::Push).value()[0].origin,
            "https://localhost:5000");
  EXPECT_THAT(table->endpoints(reference("half.example/a"), Purpose::Push).error().message(),
              HasSubstr("missing key me.key"));
}

TEST_F(Hosts, AnInsecureRegistryIsAskedByTlsFirstAndThenByHttp) {
  places_.insecure = {"reg.example:5000"};
  const auto table = make_host_table(places_);
  FakeTransport tls({{401, "", {}, {}}, {200, kManifest, {}, {}}});
  const RegistryAccess access{.hosts = table.get()};
  ASSERT_TRUE(
      make_registry_client(tls, access)->manifest(reference("reg.example:5000/a"), Cancel()));
  EXPECT_EQ(tls.asked[1].url, "https://reg.example:5000/v2/a/manifests/latest");
  EXPECT_FALSE(tls.asked[1].tls->verify);
  FakeTransport plain({{0, "", {}, make_error(ErrorKind::Unavailable, "no TLS")},
                       {200, kManifest, {}, {}},
                       {200, kManifest, {}, {}}});
  const auto client = make_registry_client(plain, access);
  ASSERT_TRUE(client->manifest(reference("reg.example:5000/a"), Cancel()));
  ASSERT_TRUE(client->manifest(reference("reg.example:5000/a"), Cancel()));
  EXPECT_EQ(plain.asked[2].url, "http://reg.example:5000/v2/a/manifests/latest");
}

TEST_F(Hosts, ALoopbackRegistryThatWantsTlsGetsIt) {
  FakeTransport transport(
      {{400, "", {}, {}}, {200, "", {}, {}}, {200, kManifest, {}, {}}, {200, kManifest, {}, {}}});
  const auto client = make_registry_client(transport);
  ASSERT_TRUE(client->manifest(reference("localhost:5000/a"), Cancel()));
  ASSERT_TRUE(client->manifest(reference("localhost:5000/a"), Cancel()));
  EXPECT_EQ(transport.asked[0].url, "http://localhost:5000/v2/a/manifests/latest");
  EXPECT_EQ(transport.asked[1].url, "https://localhost:5000/v2/");
  EXPECT_EQ(transport.asked[3].url, "https://localhost:5000/v2/a/manifests/latest");
}

TEST_F(Hosts, ADeadMirrorIsPassedByAndNotAskedAgain) {
  write("registries.conf",
        "[[registry]]\nlocation='reg.example'\n[[registry.mirror]]\nlocation='m.example'\n");
  const auto table = make_host_table(places_);
  const ScriptedAnswer dead{0, "", {}, make_error(ErrorKind::Unavailable, "connection refused")};
  FakeTransport transport(
      {dead, dead, dead, {200, kManifest, {}, {}}, {200, kManifest, {}, {}}, {404, "", {}, {}}});
  const auto client = make_registry_client(transport, {.hosts = table.get()});
  ASSERT_TRUE(client->manifest(reference("reg.example/a"), Cancel()));
  ASSERT_TRUE(client->manifest(reference("reg.example/a"), Cancel()));
  EXPECT_EQ(transport.asked[0].url, "https://m.example/v2/a/manifests/latest");
  EXPECT_EQ(transport.asked[4].url, "https://reg.example/v2/a/manifests/latest");
  EXPECT_EQ(client->manifest(reference("reg.example/b"), Cancel()).error().kind(),
            ErrorKind::NotFound);
}

class BlobsOfAMirror : public Hosts {
 protected:
  Status fetch(FakeTransport& transport, std::string& text) {
    write("registries.conf",
          "[[registry]]\nlocation='reg.example'\n[[registry.mirror]]\nlocation='m.example'\n");
    const auto table = make_host_table(places_);
    const auto client = make_registry_client(transport, {.hosts = table.get()});
    StringSink sink;
    const oci::Descriptor blob{"a/b", Digest::of("0123"), 4, std::nullopt, {}};
    Status fetched = client->blob_to_store(reference("reg.example/a"), blob, sink, Cancel());
    text = sink.text;
    return fetched;
  }
};

TEST_F(BlobsOfAMirror, OfAnotherSizeAreNotItsLastWord) {
  FakeTransport transport({{200, "<html>", {{"content-length", "6"}}, {}}, {200, "0123", {}, {}}});
  std::string text;
  const Status fetched = fetch(transport, text);
  ASSERT_TRUE(fetched) << fetched.error().message();
  EXPECT_EQ(text, "0123");
  EXPECT_TRUE(transport.asked[1].url.starts_with("https://reg.example/v2/a/blobs/"));
}

TEST_F(BlobsOfAMirror, ThatAreOtherBytesAreSaidToBeItsOwn) {
  FakeTransport transport({{200, "0124", {}, {}}});
  std::string text;
  const Status fetched = fetch(transport, text);
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message(), HasSubstr("(from https://m.example/v2/a)"));
}

TEST_F(Hosts, ARedirectGetsNeitherOurLoginNorOurCertificate) {
  write("certs.d/reg.example/me.cert", "x");
  write("certs.d/reg.example/me.key", "x");
  const auto table = make_host_table(places_);
  FakeTransport transport({{307, "", {{"location", "https://storage.example/x?sig"}}, {}},
                           {200, kManifest, {}, {}},
                           {307, "", {{"location", "http://storage.example/x"}}, {}}});
  const auto client = make_registry_client(transport, {.hosts = table.get()});
  ASSERT_TRUE(client->manifest(reference("reg.example/a"), Cancel()));
  EXPECT_FALSE(transport.asked[0].tls->client_key.empty());
  EXPECT_EQ(transport.asked[1].url, "https://storage.example/x?sig");
  EXPECT_EQ(transport.asked[1].tls, nullptr);
  EXPECT_THAT(client->manifest(reference("reg.example/a"), Cancel()).error().message(),
              HasSubstr("not https"));
}

}  // namespace
}  // namespace mybuild::registry
