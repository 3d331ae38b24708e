#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "tests/trainer/data/shard_files.h"
#include "trainer/data/tar_reader.h"
#include "trainer/data/tar_writer.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<std::string> names_of(const std::vector<TarMember>& members) {
  std::vector<std::string> names;
  for (const TarMember& member : members) {
    if (member.is_file) names.push_back(member.name);
  }
  return names;
}

// GNU tar writes every format; what it wrote is found, with contents at their places.
TEST(TarReader, FindsWhatGnuTarWrote) {
  const Folder folder;
  const std::string deep =
      std::string(90, 'd') + "/" + std::string(80, 'e') + "/" + std::string(90, 'f') + ".jpg";
  const std::vector<std::string> all{
      "a.jpg", "b c.jpg", "n\nl.cls", "s/\xC3\xA4.png", "s/" + std::string(120, 'x') + ".jpg", deep};
  for (const char* format : {"v7", "ustar", "pax", "gnu", "oldgnu"}) {
    std::vector<std::string> names = all;
    if (std::string(format) == "v7") names.resize(4);  // names of at most 99 bytes
    if (std::string(format) == "ustar") {              // at most 100 after a slash, 255 in all
      names = {names[0], names[1], names[2], names[3],
               std::string(90, 'd') + "/" + std::string(80, 'e') + ".jpg"};
    }
    const std::string root = std::string("in-") + format;
    for (std::size_t i = 0; i < names.size(); ++i) {
      folder.write(root + "/" + names[i], Bytes(i * 300, static_cast<std::uint8_t>('a' + i)));
    }
    const std::string tar = folder.path() + "/" + format + ".tar";
    shell(fmt::format("cd '{}/{}' && tar --format={} --sort=name -cf '{}' *", folder.path(), root, format,
                      tar));
    const MemoryTar source(read_bytes(tar));
    const std::vector<TarMember> members = members_of(source);
    EXPECT_THAT(names_of(members), testing::UnorderedElementsAreArray(names)) << format;
    for (const TarMember& member : members) {
      if (!member.is_file) continue;
      const auto place =
          static_cast<std::size_t>(std::find(names.begin(), names.end(), member.name) - names.begin());
      EXPECT_EQ(source.content(member), std::string(place * 300, static_cast<char>('a' + place)))
          << member.name;
    }
  }
}

TEST(TarReader, TellsFoldersAndLinksFromFiles) {
  const Folder folder;
  folder.write("t/x/a.jpg", bytes_of("content"));
  fs::create_symlink("a.jpg", folder.path() + "/t/x/link.jpg");
  fs::create_hard_link(folder.path() + "/t/x/a.jpg", folder.path() + "/t/x/hard.jpg");
  shell(fmt::format("cd '{}/t' && tar --sort=name -cf ../t.tar .", folder.path()));
  const std::vector<TarMember> members = members_of(MemoryTar(read_bytes(folder.path() + "/t.tar")));
  ASSERT_EQ(members.size(), 5U);
  EXPECT_THAT(names_of(members), testing::ElementsAre("./x/a.jpg"));
  EXPECT_EQ(std::count_if(members.begin(), members.end(), [](const auto& m) { return m.is_folder; }), 2);
}

TEST(TarReader, TakesSizesAsGnuWritesLargeOnes) {
  Bytes tar = tar_member("a.jpg", Bytes(700, 7)) + kTarEnd;
  // The same size in base 256, and the check sum that goes with it.
  for (std::size_t i = 124; i < 136; ++i) tar[i] = 0;
  tar[124] = 0x80;
  tar[134] = 700 >> 8;
  tar[135] = 700 & 0xFF;
  std::fill_n(tar.begin() + 148, 8, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += tar[i];
  const std::string text = fmt::format("{:06o}", sum);
  std::copy(text.begin(), text.end(), tar.begin() + 148);
  tar[154] = 0;
  EXPECT_EQ(members_of(MemoryTar(tar)).at(0).bytes, 700);
}

void expect_broken(const Bytes& tar, const std::string& part) {
  expect_error(ExitCode::data, {"memory.tar: at byte", part}, [&] { members_of(MemoryTar(tar)); });
}

Bytes damaged_at(Bytes tar, std::size_t place) {
  tar[place] ^= 0x40;
  return tar;
}

TEST(TarReader, SaysWhatIsWrongWithAFile) {
  const Bytes one = tar_member("a.jpg", Bytes(600, 1));
  const Bytes two = tar_member("b.jpg", Bytes(600, 2));
  const Bytes whole = one + two + kTarEnd;
  EXPECT_EQ(members_of(MemoryTar(whole)).size(), 2U);
  expect_broken({}, "the file is empty");
  expect_broken(Bytes(100, 3), "cut short");
  expect_broken(Bytes(2000, 3), "this is no tar file");
  expect_broken(gzipped(whole) + Bytes(512), "packed with gzip");
  expect_broken(one + two, "ends without the blocks of zeros");
  expect_broken({whole.begin(), whole.begin() + 1536 + 700}, "cut short");
  expect_broken({whole.begin(), whole.begin() + 1536 + 100}, "cut short");
  expect_broken(one + damaged_at(two, 3) + kTarEnd, "the tar file is torn");
  expect_broken(one + Bytes(two.begin() + 512, two.end()) + kTarEnd, "the tar file is torn");
  expect_broken(whole + whole, "several archives");
  expect_broken(whole + Bytes(3 << 20), "several archives");
  EXPECT_EQ(members_of(MemoryTar(whole + Bytes(9216))).size(), 2U);  // GNU tar fills 20 blocks
}

TEST(TarReader, RefusesHostileHeaders) {
  expect_broken(tar_header("a.jpg", std::size_t{1} << 32) + kTarEnd, "promises 4294967296 bytes");
  expect_broken(tar_header("x", std::size_t{1} << 30, 'L') + kTarEnd, "a name of 1073741824 bytes");
  expect_broken(tar_header("x", std::size_t{1} << 30, 'x') + kTarEnd, "a pax header of 1073741824 bytes");
  for (const char* records :
       {"9", "5 a=b", "999 path=x\n", "0 a=b\n", "6 ab\n\n", "12 size=-100\n",
        "31 size=99999999999999999999999\n", "-1 path=x\n", "99999999999999999999 a=b\n"}) {
    expect_broken(tar_member("x", bytes_of(records), 'x') + tar_member("a.jpg", {}) + kTarEnd, "pax");
  }
  expect_broken(tar_member("x", bytes_of("22 GNU.sparse.major=1\n"), 'x') + kTarEnd, "sparse");
  expect_broken(tar_member("x", Bytes(8), 'S') + kTarEnd, "sparse");
  expect_broken(tar_member("x", bytes_of("11 path=yy\n"), 'x') + kTarEnd, "a header without its member");
  Bytes negative = tar_header("a.jpg", 5);
  negative[124] = 0xFF;
  expect_broken(negative + kTarEnd, "check sum");
}

// Whatever is changed, cut or moved: members or an error, never a crash, and no content outside of the file.
TEST(TarReader, SurvivesAnyDamage) {
  Bytes whole = tar_member("x", bytes_of("30 path=" + std::string(21, 'p') + "\n"), 'x') +
                tar_member("a.jpg", Bytes(600, 1)) + tar_member("long", bytes_of("name"), 'L') +
                tar_member("b.cls", bytes_of("12")) + kTarEnd;
  std::mt19937 random(5);
  int errors = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes tar = whole;
    for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes) {
      tar[random() % tar.size()] = static_cast<std::uint8_t>(random());
    }
    if (round % 4 == 0) tar.resize(random() % tar.size());
    try {
      const MemoryTar source(tar);
      for (const TarMember& member : members_of(source)) {
        ASSERT_GE(member.offset, 512);
        ASSERT_LE(member.offset + member.bytes, source.size());
      }
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::data);
      ++errors;
    }
  }
  EXPECT_GT(errors, 10000);
}

TEST(TarWriter, WritesWhatGnuTarReads) {
  const Folder folder;
  const std::string path = folder.path() + "/out.tar";
  const std::vector<std::pair<std::string, Bytes>> all{{"empty.cls", {}},
                                                       {"one \xC3\xA4.jpg", Bytes(1, 9)},
                                                       {"block.jpg", Bytes(512, 8)},
                                                       {"n/more.png", Bytes(1300, 7)}};
  {
    TarWriter tar(path);
    for (const auto& [name, content] : all) tar.add(name, content);
    EXPECT_FALSE(fs::exists(path)) << "before it is whole";
    tar.commit();
    EXPECT_EQ(tar.bytes(), static_cast<std::int64_t>(fs::file_size(path)));
  }
  shell(fmt::format("mkdir '{0}/x' && tar -C '{0}/x' -xf '{0}/out.tar'", folder.path()));
  for (const auto& [name, content] : all)
    EXPECT_EQ(read_bytes(folder.path() + "/x/" + name), content) << name;
  const MemoryTar source(read_bytes(path));
  EXPECT_EQ(members_of(source).size(), 4U);
}

TEST(TarWriter, LeavesNothingBehindUnlessCommitted) {
  const Folder folder;
  {
    TarWriter tar(folder.path() + "/out.tar");
    tar.add("a.jpg", Bytes(3 << 20, 1));
    EXPECT_THROW(tar.add(std::string(101, 'x'), {}), Error);
    EXPECT_THROW(tar.add("", {}), Error);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  expect_error(ExitCode::usage, {"none/out.tar: cannot be written: No such file"},
               [&] { TarWriter(folder.path() + "/none/out.tar"); });
}

}  // namespace
}  // namespace convoy
