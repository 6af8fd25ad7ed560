// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using run::Container;
using run::ContainerStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

const Time kNow(1'000'000s);

Container container(const std::string& name, ContainerStatus status, int exit_code = 0) {
  Container made;
  made.record.id = std::string(64, name[0]);
  made.record.name = name;
  made.record.image = "app:1";
  made.record.image_id = Digest::of("app");
  made.record.created = kNow - 300s;
  made.record.layers = {Digest::of("base"), Digest::of(name)};
  made.record.plan.argv = {"sh", "-c", "echo a long line; exit"};
  made.state = {.status = status, .exit_code = exit_code, .error = {}};
  made.state.started = kNow - 60s;
  made.state.finished = kNow - 5s;
  return made;
}

std::vector<Container> some() {
  return {container("dull", ContainerStatus::Created), container("busy", ContainerStatus::Running),
          container("ended", ContainerStatus::Exited, 3)};
}

std::vector<std::string> names(const PsOptions& options,
                               const std::vector<std::vector<Digest>>& ancestors = {}) {
  std::vector<std::string> names;
  for (const Container& found : wanted_containers(some(), options, ancestors).value()) {
    names.push_back(found.record.name);
  }
  return names;
}

TEST(ContainerList, RunningOnesUnlessAllAreAskedFor) {
  EXPECT_THAT(names({}), ElementsAre("busy"));
  EXPECT_THAT(names({.all = true, .filters = {}}), ElementsAre("dull", "busy", "ended"));
  EXPECT_THAT(names({.last = 2, .filters = {}}), ElementsAre("dull", "busy"));
}

TEST(ContainerList, FiltersOfOneKeyAreAlternatives) {
  const auto filtered = [](std::multimap<std::string, std::string> filters) {
    return names({.all = true, .filters = std::move(filters)},
                 {{Digest::of("base"), Digest::of("busy")}});
  };
  EXPECT_THAT(filtered({{"status", "exited"}, {"status", "created"}}),
              ElementsAre("dull", "ended"));
  EXPECT_THAT(filtered({{"name", "^d|y$"}}), ElementsAre("dull", "busy"));
  EXPECT_THAT(filtered({{"name", "u"}, {"status", "running"}}), ElementsAre("busy"));
  EXPECT_THAT(filtered({{"exited", "3"}}), ElementsAre("ended"));
  EXPECT_THAT(filtered({{"id", "bbb"}}), ElementsAre("busy"));
  EXPECT_THAT(filtered({{"ancestor", "base"}}), ElementsAre("busy"));
  EXPECT_FALSE(wanted_containers(some(), {.all = true, .filters = {{"name", "["}}}, {}));
}

TEST(ContainerList, TheTableIsDockers) {
  const std::vector<snapshotter::ImageRow> images = {
      {.name = "docker.io/library/app:1", .config = Digest::of("app")}};
  EXPECT_EQ(container_list_text(some(), images, {}, kNow).value(),
            "CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS              "
            "       PORTS     NAMES\n"
            "dddddddddddd   app:1     \"sh -c echo a long l…\"   5 minutes ago   Created           "
            "                   dull\n"
            "bbbbbbbbbbbb   app:1     \"sh -c echo a long l…\"   5 minutes ago   Up About a minute "
            "                   busy\n"
            "eeeeeeeeeeee   app:1     \"sh -c echo a long l…\"   5 minutes ago   Exited (3) 5 "
            "seconds ago             ended\n");
}

TEST(ContainerList, AnImageWhoseNameMovedIsShownByItsId) {
  const std::vector<snapshotter::ImageRow> images = {
      {.name = "docker.io/library/app:1", .config = Digest::of("newer")}};
  const auto text =
      container_list_text(some(), images, {.format = "{{.Image}}", .filters = {}}, kNow);
  EXPECT_THAT(text.value(), HasSubstr(Digest::of("app").hex().substr(0, 12) + "\n"));
}

}  // namespace
}  // namespace mybuild::cli
