// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using run::Container;
using run::ContainerStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// `age` says how long ago it was made.
Container container(const std::string& name, ContainerStatus status, std::chrono::seconds age) {
  Container made;
  made.record.id = std::string(64, name[0]);
  made.record.name = name;
  made.record.created = Time(1'000'000s) - age;
  made.record.layers = {Digest::of("base"), Digest::of(name)};
  made.record.plan.network = sandbox::Network::Host;
  made.state.status = status;
  return made;
}

/// Newest first.
std::vector<Container> some() {
  std::vector<Container> all = {container("dull", ContainerStatus::Created, 1s),
                                container("busy", ContainerStatus::Running, 2s),
                                container("ended", ContainerStatus::Exited, 3s)};
  all[0].record.plan.network = sandbox::Network::None;
  all[0].record.volumes = {{.volume = "data", .target = "/d"}};
  all[0].record.labels = {{"tier", "web"}, {"team", "a"}};
  all[1].record.labels = {{"tier", "web"}};
  all[2].record.plan.mounts.resize(1);
  all[2].record.plan.mounts[0].source = "/host/dir";
  all[2].record.plan.mounts[0].target = "/in";
  all[2].state.exit_code = 3;
  return all;
}

std::vector<std::string> names(const PsOptions& options,
                               const std::vector<std::vector<Digest>>& ancestors = {}) {
  std::vector<std::string> names;
  for (const Container& found : wanted_containers(some(), options, ancestors).value()) {
    names.push_back(found.record.name);
  }
  return names;
}

std::vector<std::string> filtered(Filters filters) {
  EXPECT_TRUE(check_container_filters(filters));
  return names({.all = true, .filters = std::move(filters)},
               {{Digest::of("base"), Digest::of("busy")}});
}

TEST(ContainerFilter, RunningOnesUnlessAllAreAskedFor) {
  EXPECT_THAT(names({}), ElementsAre("busy"));
  EXPECT_THAT(names({.all = true}), ElementsAre("dull", "busy", "ended"));
  EXPECT_THAT(names({.last = 2}), ElementsAre("dull", "busy"));
  EXPECT_THAT(names({.filters = {{"status", "exited"}}}), ElementsAre("ended"));
  EXPECT_THAT(names({.filters = {{"exited", "3"}}}), IsEmpty()) << "as docker, only with -a";
}

TEST(ContainerFilter, ValuesOfOneKeyAreAlternativesAndKeysAreNot) {
  EXPECT_THAT(filtered({{"status", "exited"}, {"status", "created"}}),
              ElementsAre("dull", "ended"));
  EXPECT_THAT(filtered({{"name", "u"}, {"status", "running"}}), ElementsAre("busy"));
  EXPECT_THAT(filtered({{"status", "paused"}}), IsEmpty());
}

TEST(ContainerFilter, NamesArePatternsWithOrWithoutDockersSlash) {
  EXPECT_THAT(filtered({{"name", "^d|y$"}}), ElementsAre("dull", "busy"));
  EXPECT_THAT(filtered({{"name", "^/busy$"}}), ElementsAre("busy"));
}

TEST(ContainerFilter, AllLabelsHaveToBeThere) {
  EXPECT_THAT(filtered({{"label", "tier"}}), ElementsAre("dull", "busy"));
  EXPECT_THAT(filtered({{"label", "tier=web"}, {"label", "team"}}), ElementsAre("dull"));
  EXPECT_THAT(filtered({{"label", "tier=db"}}), IsEmpty());
  EXPECT_THAT(filtered({{"label", "tie"}}), IsEmpty());
}

TEST(ContainerFilter, ByWhatTheContainerHas) {
  EXPECT_THAT(filtered({{"exited", "3"}}), ElementsAre("ended"));
  EXPECT_THAT(filtered({{"exited", "0"}}), IsEmpty()) << "one that runs has not exited with 0";
  EXPECT_THAT(filtered({{"id", "bbb"}}), ElementsAre("busy"));
  EXPECT_THAT(filtered({{"ancestor", "base"}}), ElementsAre("busy"));
  EXPECT_THAT(filtered({{"network", "none"}}), ElementsAre("dull"));
  EXPECT_THAT(filtered({{"volume", "data"}}), ElementsAre("dull"));
  EXPECT_THAT(filtered({{"volume", "/in"}, {"volume", "nothing"}}), ElementsAre("ended"));
  EXPECT_THAT(filtered({{"volume", "/host/dir"}}), ElementsAre("ended"));
}

TEST(ContainerFilter, OlderAndNewerThanAnother) {
  EXPECT_THAT(filtered({{"before", "dull"}}), ElementsAre("busy", "ended"));
  EXPECT_THAT(filtered({{"since", "eee"}}), ElementsAre("dull", "busy"));
  EXPECT_THAT(filtered({{"since", "ended"}, {"before", "dull"}}), ElementsAre("busy"));
  const auto absent = wanted_containers(some(), {.filters = {{"before", "nobody"}}}, {});
  EXPECT_EQ(absent.error().message(), "filter before: no such container: nobody");
}

TEST(ContainerFilter, WhatNoContainerCanBeIsRefused) {
  const std::pair<Filters, std::string> kBad[] = {
      {{{"bogus", "1"}}, "there is no filter 'bogus'"},
      {{{"status", "bogus"}}, "filter status: a container is never 'bogus'"},
      {{{"status", "running"}, {"status", ""}}, "a container is never ''"},
      {{{"exited", "x"}}, "filter exited: 'x' is not a number"},
      {{{"name", "["}}, "'[' is not a regular expression"},
  };
  for (const auto& [filters, message] : kBad) {
    const Status refused = check_container_filters(filters);
    ASSERT_FALSE(refused) << message;
    EXPECT_THAT(refused.error().message(), HasSubstr(message));
  }
  EXPECT_THAT(check_container_filters({{"status", "x"}}).error().hint(),
              HasSubstr("created, running, paused"));
  EXPECT_THAT(check_container_filters({{"x", "y"}}).error().hint(), HasSubstr("ancestor, before"));
}

}  // namespace
}  // namespace mybuild::cli
