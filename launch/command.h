#pragma once

#include <string>
#include <vector>

namespace convoy {

/// One command of the program: `run` gets the words after the command's name and gives the exit code. Errors
/// are thrown.
struct Command {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments);
  bool by_all_ranks = false;  ///< otherwise only the first of several ranks does it
};

int train_command(const std::vector<std::string>& arguments);
int eval_command(const std::vector<std::string>& arguments);
int predict_command(const std::vector<std::string>& arguments);
int inspect_command(const std::vector<std::string>& arguments);
int time_command(const std::vector<std::string>& arguments);
int plan_command(const std::vector<std::string>& arguments);
int convert_command(const std::vector<std::string>& arguments);
int data_command(const std::vector<std::string>& arguments);
int devices_command(const std::vector<std::string>& arguments);

inline constexpr const char* kVersion = "0.1.0";

}  // namespace convoy
