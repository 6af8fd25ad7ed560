// SPDX-License-Identifier: Apache-2.0
// known_hosts files, as ssh-keygen writes them.
#include "builder/git/helper/known_hosts.h"

#include "snapshotter/base/base64.h"

#include <gtest/gtest.h>

namespace mybuild::git {
namespace {

constexpr const char* kKey = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
constexpr const char* kOther =
    "AAAAC3NzaC1lZDI1NTE5AAAAIBBBqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

HostKey check(const std::string& lines, const std::string& host) {
  KnownHosts hosts;
  hosts.add(lines);
  return hosts.check(host, base64_decode(kKey).value_or(""));
}

std::string line(const std::string& names, const char* key = kKey) {
  return names + " ssh-ed25519 " + key + " a comment\n";
}

TEST(KnownHosts, a_key_is_known_unknown_or_another_one) {
  EXPECT_EQ(check(line("h.example,10.0.0.1"), "10.0.0.1"), HostKey::Known);
  EXPECT_EQ(check(line("H.example"), "h.example"), HostKey::Known);
  EXPECT_EQ(check(line("h.example"), "other"), HostKey::Unknown);
  EXPECT_EQ(check(line("h", kOther), "h"), HostKey::Differs);
  EXPECT_EQ(check(line("h", kOther) + line("h"), "h"), HostKey::Known);
  EXPECT_EQ(check("# " + line("h") + "\n\nrubbish\nh ssh-rsa ***\n", "h"), HostKey::Unknown);
}

TEST(KnownHosts, patterns_ports_and_markers) {
  EXPECT_EQ(known_hosts_name("h", "22"), "h");
  EXPECT_EQ(known_hosts_name("h", "2222"), "[h]:2222");
  EXPECT_EQ(known_hosts_name("[::1]", ""), "::1");
  EXPECT_EQ(check(line("[h]:2222"), "[h]:2222"), HostKey::Known);
  EXPECT_EQ(check(line("*.example,!bad.example"), "good.example"), HostKey::Known);
  EXPECT_EQ(check(line("*.example,!bad.example"), "bad.example"), HostKey::Unknown);
  EXPECT_EQ(check(line("h?"), "h1"), HostKey::Known);
  EXPECT_EQ(check("@cert-authority " + line("h"), "h"), HostKey::Unknown);
  EXPECT_EQ(check(line("h") + "@revoked " + line("h"), "h"), HostKey::Revoked);
}

TEST(KnownHosts, hashed_names) {
  // HMAC-SHA1 of "h.example" with twenty zero bytes.
  const std::string name = "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|hurXLyw+yRjHS0fcZUMwnycZJq4=";
  EXPECT_EQ(check(line(name), "h.example"), HostKey::Known);
  EXPECT_EQ(check(line(name), "i.example"), HostKey::Unknown);
}

TEST(KnownHosts, a_fingerprint_is_as_ssh_keygen_prints_it) {
  EXPECT_EQ(fingerprint(base64_decode(kKey).value_or("")),
            "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
}

}  // namespace
}  // namespace mybuild::git
